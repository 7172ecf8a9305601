"""Which genes are modelled."""

from __future__ import annotations

from collections.abc import Sequence

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot import keys
from clearspot.contract.flags import read_flag
from clearspot.contract.gene_lists import GENES_OF_INTEREST, find_genes
from clearspot.dusted.params import DustedParams
from clearspot.record import Message

_HVG_MIN_COUNTS = 100
_FEWEST_CANDIDATES = 50
"""With fewer genes of that many counts, as in a small panel, every gene with counts is a candidate."""


def choose_genes(
    adata: ad.AnnData, counts: sp.csr_matrix, spots: np.ndarray, params: DustedParams, sample: str = "sample"
) -> tuple[np.ndarray, list[Message]]:
    """Columns of the genes to model, ascending.

    Parameters
    ----------
    adata
        The section; genes with a true ``var['gene_of_interest']`` are modelled like ``always_genes``.
    counts
        Its counts, shape ``(n_obs, n_vars)``.
    spots
        Rows that are modelled; a gene without a single count on them cannot be.
    params
        ``genes``, ``always_genes`` and ``n_top_genes`` are read.
    sample
        Sample name, for messages.

    Returns
    -------
    Column numbers, and what the reader should know.

    Raises
    ------
    BadInputError
        If a list is given and the section has none of its genes.
    """
    messages: list[Message] = []
    if params.genes == "all":
        wanted = np.ones(adata.n_vars, dtype=bool)
    elif params.genes == "hvg":
        wanted = _highly_variable(adata, counts, spots, params, sample, messages)
    else:
        wanted = _named(adata, params.genes, sample, "genes to model", messages)
    always = _named(adata, params.always_genes, sample, GENES_OF_INTEREST, messages)
    if keys.GENE_OF_INTEREST in adata.var:
        always |= read_flag(adata.var, keys.GENE_OF_INTEREST, sample, "var")
    seen = np.asarray(counts[spots].sum(axis=0)).ravel() > 0
    if silent := int(np.count_nonzero(always & ~seen)):
        messages.append(
            Message("handled", f"{silent} {GENES_OF_INTEREST} have no counts in this section and are not denoised.")
        )
    return np.flatnonzero((wanted | always) & seen), messages


def _named(adata: ad.AnnData, names: Sequence[str], sample: str, what: str, messages: list[Message]) -> np.ndarray:
    """Mask of the genes with these names or ids; absent ones go to ``messages``."""
    lookup = find_genes(adata, names, sample, what)
    if absent := lookup.warning(what):
        messages.append(Message("warning", absent))
    return lookup.mask(adata.n_vars)


def _highly_variable(
    adata: ad.AnnData,
    counts: sp.csr_matrix,
    spots: np.ndarray,
    params: DustedParams,
    sample: str,
    messages: list[Message],
) -> np.ndarray:
    """Mask from ``var``, or computed as the paper does where it is absent."""
    if keys.HIGHLY_VARIABLE in adata.var:
        return read_flag(adata.var, keys.HIGHLY_VARIABLE, sample, "var")
    from clearspot.qc.hvg import select_hvgs  # scanpy takes seconds to import, and this is the exception

    passing = np.zeros(adata.n_obs, dtype=bool)
    passing[spots] = True
    stand_in = ad.AnnData(
        obs=pd.DataFrame({keys.QC_PASS: passing}, index=adata.obs_names),
        var=pd.DataFrame(index=adata.var_names),
        layers={keys.COUNTS: counts},
    )
    totals = np.asarray(counts[spots].sum(axis=0)).ravel()
    candidates = totals > _HVG_MIN_COUNTS
    if few := candidates.sum() < _FEWEST_CANDIDATES:
        candidates = totals > 0
    method = select_hvgs(stand_in, candidates, params.n_top_genes)
    chosen = stand_in.var[keys.HIGHLY_VARIABLE].to_numpy(dtype=bool)
    number = int(chosen.sum())
    how = f"the {number} most variable genes are modelled (ranked by {method})"
    if number == candidates.sum():
        how = f"all {number} genes with {'counts' if few else f'more than {_HVG_MIN_COUNTS} counts'} are modelled"
    messages.append(Message("info", f"var['{keys.HIGHLY_VARIABLE}'] is missing: {how}."))
    return chosen
