"""The filters: which spots and genes they flag, alone and one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.stats import median_abs_deviation

from clearspot import keys
from clearspot.qc.params import MITO_PERCENT, QCParams, place_size_um, spot_floors

_ROBUST_SDS: Final = 3.0


@dataclass(frozen=True)
class Filter:
    """One threshold on one column of ``obs``.

    Parameters
    ----------
    parameter
        Pipeline parameter that sets it; also the word in ``obs['qc_reason']``.
    column
        Column of ``obs``.
    threshold
        Limit; a spot at the limit passes.
    lower
        Whether the limit is a smallest value (else a largest).
    """

    parameter: str
    column: str
    threshold: float
    lower: bool

    def measured(self, adata: ad.AnnData) -> bool:
        """Whether the sample has the metric at all."""
        return self.column in adata.obs

    def fails(self, adata: ad.AnnData) -> NDArray[np.bool_]:
        """Mask of the spots beyond the limit (a value that could not be computed is not beyond it)."""
        values = adata.obs[self.column].to_numpy(dtype=float)
        return values < self.threshold if self.lower else values > self.threshold


def spot_filters(adata: ad.AnnData, params: QCParams) -> list[Filter]:
    """Filters in the order in which they apply, those included whose metric the sample lacks."""
    least_counts, least_genes = spot_floors(place_size_um(adata))
    min_counts = least_counts if params.min_counts is None else params.min_counts
    min_genes = least_genes if params.min_genes is None else params.min_genes
    floors = [
        Filter("qc_min_counts", keys.TOTAL_COUNTS, min_counts, lower=True),
        Filter("qc_min_genes", keys.N_GENES, min_genes, lower=True),
    ]
    mito = _mito_threshold(adata, floors) if params.mito_threshold is None else params.mito_threshold
    return [
        *floors,
        Filter("qc_mito_threshold", keys.percent_of("mt"), mito, lower=False),
        Filter("qc_ribo_threshold", keys.percent_of("ribo"), params.ribo_threshold, lower=True),
        Filter("qc_hb_threshold", keys.percent_of("hb"), params.hb_threshold, lower=False),
    ]


def _mito_threshold(adata: ad.AnnData, floors: list[Filter]) -> float:
    """Percentage above which a spot has more mitochondrial counts than its section has by nature.

    Healthy heart, kidney, muscle and brain lie above the usual 20 %, so that a fixed limit removes the tissue and keeps
    its damage unseen. Outliers are three median absolute deviations (scaled to a standard deviation) above the median,
    as in ``scuttle::isOutlier`` and SpotSweeper.
    """
    column = keys.percent_of("mt")
    if column not in adata.obs:
        return MITO_PERCENT
    share = adata.obs[column].to_numpy(dtype=float)
    share = share[np.isfinite(share) & ~np.any([one.fails(adata) for one in floors], axis=0)]
    if not share.size:
        return MITO_PERCENT
    outlying = float(np.median(share)) + _ROBUST_SDS * float(median_abs_deviation(share, scale="normal"))
    return min(100.0, max(MITO_PERCENT, round(outlying, 1)))


def flag_spots(adata: ad.AnnData, filters: list[Filter]) -> dict[str, list[Any]]:
    """Set ``obs['qc_pass']`` and ``obs['qc_reason']`` in place; no spot is dropped.

    Returns
    -------
    Table of what each filter removes: alone, and after the filters before it. Both are ``None`` for a filter that was
    skipped because its metric was not measured.
    """
    passing = np.ones(adata.n_obs, dtype=bool)
    reason = np.full(adata.n_obs, "", dtype=object)
    table: dict[str, list[Any]] = {
        name: [] for name in ("filter", "column", "threshold", "keeps", "removed_alone", "removed_in_sequence", "left")
    }
    for one in filters:
        alone = in_sequence = left = None
        if one.measured(adata):
            fails = one.fails(adata)
            alone, in_sequence = int(fails.sum()), int((fails & passing).sum())
            passing &= ~fails
            left = int(passing.sum())
            reason[fails] += one.parameter + ";"
        keeps = "at least" if one.lower else "at most"
        row = (one.parameter, one.column, one.threshold, keeps, alone, in_sequence, left)
        for name, value in zip(table, row, strict=True):
            table[name].append(value)
    adata.obs[keys.QC_PASS] = passing
    adata.obs[keys.QC_REASON] = [text.rstrip(";") for text in reason]
    return table


def flag_genes(adata: ad.AnnData, min_spots: int) -> int:
    """Set ``var['qc_pass']``: genes seen in at least ``min_spots`` passing spots. Return how many fail."""
    seen = adata.layers[keys.COUNTS][adata.obs[keys.QC_PASS].to_numpy()].getnnz(axis=0)
    adata.var[keys.GENE_PASS] = seen >= min_spots
    return int((seen < min_spots).sum())
