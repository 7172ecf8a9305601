"""From a section to a model with its verdict, and the files that keep it."""
