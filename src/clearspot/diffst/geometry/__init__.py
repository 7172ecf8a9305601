"""Where things lie: the fine bins, what spots capture of them, tiles, and noise that is tied to places."""
