"""The steps as functions of an AnnData in memory, and how their results show themselves in a notebook."""
