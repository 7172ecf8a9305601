"""Small tables of distributions, so that a report can draw them without the data."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np

from clearspot import keys
from clearspot.qc.genes import GENE_SETS

_BINS: Final = 40
_QUANTILES: Final = {"min": 0.0, "q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95, "max": 1.0}
_LOGARITHMIC: Final = (keys.TOTAL_COUNTS, keys.N_GENES)


def measured_columns(adata: ad.AnnData) -> list[str]:
    """Columns of ``obs`` whose distribution is worth showing."""
    candidates = [keys.TOTAL_COUNTS, keys.N_GENES, *(keys.percent_of(name) for name in GENE_SETS), keys.CELL_AREA]
    return [name for name in candidates if name in adata.obs]


def histogram(adata: ad.AnnData, column: str) -> dict[str, list[Any]]:
    """Binned values of passing and failing spots; counts and genes in bins of equal width on a log scale."""
    values = adata.obs[column].to_numpy(dtype=float)
    passing = adata.obs[keys.QC_PASS].to_numpy()
    finite = np.isfinite(values)
    low, high = float(values[finite].min()), float(values[finite].max())
    if column in _LOGARITHMIC:
        edges = np.expm1(np.linspace(np.log1p(low), np.log1p(high + 1), _BINS + 1))
    else:
        edges = np.linspace(0.0, max(high, 1.0), _BINS + 1)
    # Rounding must not put the smallest value outside.
    edges[0] = min(edges[0], low)
    return {
        "left": edges[:-1].tolist(),
        "right": edges[1:].tolist(),
        "n_pass": np.histogram(values[finite & passing], edges)[0].tolist(),
        "n_fail": np.histogram(values[finite & ~passing], edges)[0].tolist(),
    }


def quantiles(adata: ad.AnnData) -> dict[str, list[Any]]:
    """Quantiles of every measured column over all spots, for box plots."""
    table: dict[str, list[Any]] = {"metric": [], **{name: [] for name in _QUANTILES}}
    for column in measured_columns(adata):
        found = np.nanquantile(adata.obs[column].to_numpy(dtype=float), list(_QUANTILES.values()))
        table["metric"].append(column)
        for name, value in zip(_QUANTILES, found.tolist(), strict=True):
            table[name].append(value)
    return table


def genomes_table(adata: ad.AnnData, genomes: list[str], suffixes: list[str]) -> dict[str, list[Any]]:
    """What each of several genomes contributes (columns of :func:`clearspot.qc.metrics.add_genome_metrics`)."""
    totals = np.array(
        [adata.obs[keys.of_genome(keys.TOTAL_COUNTS, suffix)].to_numpy(dtype=float) for suffix in suffixes]
    )
    mito = [keys.of_genome(keys.percent_of("mt"), suffix) for suffix in suffixes]
    return {
        "genome": genomes,
        "n_genes": [int((adata.var[keys.GENOME].astype(str) == genome).sum()) for genome in genomes],
        "counts": totals.sum(axis=1).tolist(),
        "percent_of_counts": (100 * totals.sum(axis=1) / totals.sum()).tolist(),
        "median_counts": np.median(totals, axis=1).tolist(),
        "n_spots_mostly": np.bincount(totals.argmax(axis=0), minlength=len(genomes)).tolist(),
        "median_percent_mt": [
            float(np.nanmedian(adata.obs[name])) if name in adata.obs and adata.obs[name].notna().any() else None
            for name in mito
        ],
    }
