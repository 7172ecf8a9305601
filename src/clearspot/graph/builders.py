"""squidpy's graph builders, without what its import writes into the log."""

import warnings

with warnings.catch_warnings():
    # squidpy 1.8 has docstring placeholders that its own template engine complains of.
    warnings.simplefilter("ignore", SyntaxWarning)
    from squidpy.gr.neighbors import DelaunayBuilder, GraphBuilderCSR, GridBuilder, KNNBuilder, RadiusBuilder

__all__ = ["DelaunayBuilder", "GraphBuilderCSR", "GridBuilder", "KNNBuilder", "RadiusBuilder"]
