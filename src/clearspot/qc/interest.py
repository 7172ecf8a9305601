"""Genes that the user names."""

from __future__ import annotations

from collections.abc import Sequence

import anndata as ad

from clearspot import keys
from clearspot.contract.gene_lists import GENES_OF_INTEREST, GeneLookup, find_genes


def flag_genes_of_interest(adata: ad.AnnData, names: Sequence[str], sample: str = "sample") -> GeneLookup:
    """Set ``var['gene_of_interest']`` in place.

    Parameters
    ----------
    adata
        Annotated matrix.
    names
        Symbols or gene ids.
    sample
        Sample name, for messages.

    Returns
    -------
    The genes that were found, and the names that the sample lacks.

    Raises
    ------
    BadInputError
        If the sample has none of the genes.
    """
    lookup = find_genes(adata, names, sample, GENES_OF_INTEREST)
    adata.var[keys.GENE_OF_INTEREST] = lookup.mask(adata.n_vars)
    return lookup
