"""The steps as functions of an AnnData in memory, and the display of their results in a notebook."""
