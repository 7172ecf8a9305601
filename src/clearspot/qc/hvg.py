"""Highly variable genes, as the paper chooses them."""

from __future__ import annotations

from typing import Final

import anndata as ad
import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.qc.params import QCParams

# seurat_v3 smooths log variance over log mean by a loess whose normal equations can be singular where many genes share
# a mean (few spots, low counts). A wider span usually fixes it.
_SPANS: Final = (0.3, 0.5, 0.8)
_FEWEST_POINTS: Final = 3
"""Genes inside a span that a curve of degree two needs. With none, scikit-misc ends the whole process."""
_VALUES_AT_ONCE: Final = 50_000_000
_SPOTS_AT_ONCE: Final = 20_000


def hvg_candidates(adata: ad.AnnData, params: QCParams) -> np.ndarray:
    """Mask of the genes that may be highly variable: passing, with more than ``hvg_min_counts`` counts."""
    passing = adata.obs[keys.QC_PASS].to_numpy()
    totals = np.asarray(adata.layers[keys.COUNTS][passing].sum(axis=0)).ravel()
    return adata.var[keys.GENE_PASS].to_numpy() & (totals > params.hvg_min_counts)


def select_hvgs(adata: ad.AnnData, candidates: np.ndarray, n_hvgs: int) -> str:
    """Set ``var['highly_variable']`` and ``var['highly_variable_rank']`` (0 = most variable) in place.

    Parameters
    ----------
    adata
        With counts and ``obs['qc_pass']``; only passing spots are looked at.
    candidates
        Mask of the genes to choose from.
    n_hvgs
        How many to choose; all candidates where there are fewer.

    Returns
    -------
    How the genes were ranked: ``seurat_v3`` (with the loess span where not the usual 0.3) or ``pearson_residuals``.
    """
    subset = ad.AnnData(
        adata.layers[keys.COUNTS][adata.obs[keys.QC_PASS].to_numpy()][:, candidates],
        var=pd.DataFrame(index=adata.var_names[candidates]),
    )
    method, score = _rank(subset)
    # Ties (equal scores) keep the order of the genes, so that the choice is the same on every machine.
    order = np.argsort(-score, kind="stable")
    rank = np.empty(order.size)
    rank[order] = np.arange(order.size)
    ranks = np.full(adata.n_vars, np.nan)
    ranks[candidates] = np.where(rank < n_hvgs, rank, np.nan)
    adata.var[keys.HVG_RANK] = ranks
    adata.var[keys.HIGHLY_VARIABLE] = np.isfinite(ranks)
    return method


def _rank(subset: ad.AnnData) -> tuple[str, np.ndarray]:
    """Name of the method that worked, and a score per gene."""
    import scanpy as sc

    n_varying = _n_varying(subset)
    for span in _SPANS:
        if int(span * n_varying) < _FEWEST_POINTS:
            continue
        try:
            found = sc.pp.highly_variable_genes(
                subset, flavor="seurat_v3", n_top_genes=subset.n_vars, span=span, inplace=False
            )
        except ValueError:  # scikit-misc raises the Fortran routine's text as a ValueError
            continue
        score = found["variances_norm"].to_numpy()
        if np.isfinite(score).all():
            return ("seurat_v3" if span == _SPANS[0] else f"seurat_v3 with span {span}"), score
    # Pearson residuals need no smoothing, so nothing can be singular; they divide by a spot's total.
    subset = subset[np.asarray(subset.X.sum(axis=1)).ravel() > 0].copy()
    chunk = max(1, min(subset.n_vars, _VALUES_AT_ONCE // max(1, subset.n_obs)))
    found = sc.experimental.pp.highly_variable_genes(
        subset, flavor="pearson_residuals", n_top_genes=subset.n_vars, chunksize=chunk, inplace=False
    )
    return "pearson_residuals", np.nan_to_num(found["residual_variances"].to_numpy(), nan=-np.inf)


def _n_varying(subset: ad.AnnData) -> int:
    """Number of genes whose counts differ between spots: those that the loess is fitted to."""
    most, least = np.zeros(subset.n_vars), np.full(subset.n_vars, np.inf)
    for first in range(0, subset.n_obs, _SPOTS_AT_ONCE):  # sorted by gene, the whole would be a copy of a large matrix
        counts = subset.X[first : first + _SPOTS_AT_ONCE].tocsc()
        most = np.maximum(most, counts.max(axis=0).toarray().ravel())
        least = np.minimum(least, counts.min(axis=0).toarray().ravel())
    return int((most > least).sum())
