"""Genes that mark a domain."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.qc.passing import passing_genes

_FEWEST: Final = 3
PROFILED_MARKERS: Final = 3
"""Markers of a domain whose expression in all domains is recorded."""

_SPOTS: Final = 20_000
"""Spots that are compared; more change no rank, only the digits of p-values that are 0 already."""

_COLUMNS: Final = ("domain", "gene", "score", "log2_fold_change", "p_adjusted", "percent_inside", "percent_outside")


def marker_genes(
    adata: ad.AnnData, domain: str, n_markers: int = 10, seed: int = 0
) -> tuple[dict[str, list[Any]], list[str]]:
    """Rank genes by a Wilcoxon test of each domain against the rest, on the measured (not the denoised) expression.

    Parameters
    ----------
    adata
        With ``X`` log-normalised; spots without a domain and failing genes are left out.
    domain
        Column of ``obs`` with the domains.
    n_markers
        Genes to list for each domain.
    seed
        Seed of the draw where there are more than 20,000 spots.

    Returns
    -------
    Table with a row per domain and gene, best first, and the domains too small to be tested (fewer than three spots).
    """
    import scanpy as sc

    rows = _drawn(adata.obs[domain].notna().to_numpy(), seed)
    spots = ad.AnnData(
        adata.X[rows][:, passing_genes(adata)],
        obs=adata.obs.iloc[rows][[domain]].copy(),
        var=adata.var.loc[passing_genes(adata), []].copy(),
    )
    sizes = spots.obs[domain].value_counts().reindex(adata.obs[domain].cat.categories, fill_value=0)
    tested = [name for name in sizes.index if sizes[name] >= _FEWEST]
    small = [name for name in sizes.index if sizes[name] < _FEWEST]
    table: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    if len(sizes) < 2 or not tested:
        return table, small
    spots.obs[domain] = spots.obs[domain].cat.remove_unused_categories()
    sc.tl.rank_genes_groups(
        spots, domain, groups=tested, method="wilcoxon", n_genes=min(n_markers, spots.n_vars), pts=True
    )
    found = sc.get.rank_genes_groups_df(spots, group=tested)
    if "group" not in found:  # scanpy leaves the column out for a single group
        found["group"] = tested[0]
    table["domain"] = found["group"].astype(str).tolist()
    table["gene"] = found["names"].astype(str).tolist()
    table["score"] = found["scores"].astype(float).tolist()
    table["log2_fold_change"] = found["logfoldchanges"].astype(float).tolist()
    table["p_adjusted"] = found["pvals_adj"].astype(float).tolist()
    table["percent_inside"] = (100 * found["pct_nz_group"].astype(float)).tolist()
    table["percent_outside"] = (100 * found["pct_nz_reference"].astype(float)).tolist()
    return table, small


def marker_profile(
    adata: ad.AnnData, domain: str, markers: dict[str, list[Any]], most: int = PROFILED_MARKERS
) -> dict[str, list[Any]]:
    """Expression of the best markers of each domain in all domains: what a dot plot shows.

    Parameters
    ----------
    adata
        With ``X`` log-normalised.
    domain
        Column of ``obs`` with the domains.
    markers
        Table of :func:`marker_genes`.
    most
        Genes of each domain.

    Returns
    -------
    Table with a row per gene and domain: ``marks`` (the domain that the gene was found for), mean of ``X``, and per
    cent of the spots with a count. Genes stand in the order of the domains that they mark, each once.
    """
    best = pd.DataFrame({"gene": markers["gene"], "domain": markers["domain"]}).groupby("domain", sort=False).head(most)
    best = best.drop_duplicates("gene")
    table: dict[str, list[Any]] = {name: [] for name in ("gene", "marks", "domain", "mean", "percent")}
    if best.empty:
        return table
    rows = np.flatnonzero(adata.obs[domain].notna().to_numpy())
    labels = adata.obs[domain].cat.categories
    codes = adata.obs[domain].cat.codes.to_numpy()[rows]
    member = csr_matrix((np.ones(rows.size), (codes, np.arange(rows.size))), shape=(len(labels), rows.size))
    sizes = np.maximum(np.asarray(member.sum(axis=1)), 1.0)
    values = csr_matrix(adata.X[:, adata.var_names.get_indexer(best["gene"])])[rows]
    mean, seen = (np.asarray((member @ part).todense()) / sizes for part in (values, (values > 0).astype(float)))
    for column, (gene, marks) in enumerate(zip(best["gene"], best["domain"], strict=True)):
        table["gene"] += [gene] * len(labels)
        table["marks"] += [marks] * len(labels)
        table["domain"] += [str(name) for name in labels]
        table["mean"] += mean[:, column].tolist()
        table["percent"] += (100 * seen[:, column]).tolist()
    return table


def _drawn(has_domain: NDArray[np.bool_], seed: int) -> NDArray[np.intp]:
    rows = np.flatnonzero(has_domain)
    if rows.size <= _SPOTS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, _SPOTS, replace=False))


def domain_column(method: str) -> str:
    """Column of ``obs`` that holds a method's domains."""
    return {"gmm": keys.DOMAIN_GMM, "leiden": keys.DOMAIN_LEIDEN}[method]
