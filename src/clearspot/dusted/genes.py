"""Which genes are modelled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot import keys
from clearspot.dusted.params import DustedParams
from clearspot.record import Message

_HVG_MIN_COUNTS = 100


def read_gene_list(path: Path) -> tuple[str, ...]:
    """Gene names or ids, one a line; blank lines and lines after ``#`` are skipped, the first column counts."""
    names = []
    for line in Path(path).read_text(encoding="utf-8-sig").splitlines():
        words = line.split("#", 1)[0].replace(",", "\t").split("\t")
        if words[0].strip():
            names.append(words[0].strip())
    return tuple(dict.fromkeys(names))


def choose_genes(
    adata: ad.AnnData, counts: sp.csr_matrix, spots: np.ndarray, params: DustedParams
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

    Returns
    -------
    Column numbers, and what the reader should know.
    """
    messages: list[Message] = []
    if params.genes == "all":
        wanted = np.ones(adata.n_vars, dtype=bool)
    elif params.genes == "hvg":
        wanted = _highly_variable(adata, counts, spots, params, messages)
    else:
        wanted = _named(adata, params.genes, "genes", messages)
    always = _named(adata, params.always_genes, "always_genes", messages)
    if keys.GENE_OF_INTEREST in adata.var:
        always |= adata.var[keys.GENE_OF_INTEREST].to_numpy(dtype=bool)
    seen = np.asarray(counts[spots].sum(axis=0)).ravel() > 0
    if silent := int(np.count_nonzero(always & ~seen)):
        messages.append(Message("handled", f"{silent} genes asked for have no counts in this section: not denoised"))
    return np.flatnonzero((wanted | always) & seen), messages


def _named(adata: ad.AnnData, names: Sequence[str], option: str, messages: list[Message]) -> np.ndarray:
    """Mask of the genes with these names or ids."""
    requested = pd.Index(names)
    known = [adata.var_names]
    if keys.GENE_IDS in adata.var:
        known.append(pd.Index(adata.var[keys.GENE_IDS].astype(str)))
    mask = np.logical_or.reduce([index.isin(requested) for index in known])
    found = np.logical_or.reduce([requested.isin(index) for index in known])
    if len(requested) and not found.all():
        missing = requested[~found]
        shown = ", ".join(missing[:10]) + (" ..." if len(missing) > 10 else "")
        messages.append(Message("handled", f"{len(missing)} of {len(requested)} {option} are not here: {shown}"))
    return mask


def _highly_variable(
    adata: ad.AnnData, counts: sp.csr_matrix, spots: np.ndarray, params: DustedParams, messages: list[Message]
) -> np.ndarray:
    """Mask from ``var``, or computed as the paper does where it is absent."""
    if keys.HIGHLY_VARIABLE in adata.var:
        return adata.var[keys.HIGHLY_VARIABLE].to_numpy(dtype=bool)
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
    if not candidates.any():
        candidates = totals > 0
    method = select_hvgs(stand_in, candidates, params.n_top_genes)
    chosen = stand_in.var[keys.HIGHLY_VARIABLE].to_numpy(dtype=bool)
    messages.append(Message("info", f"var.highly_variable was absent: {int(chosen.sum())} genes chosen ({method})"))
    return chosen
