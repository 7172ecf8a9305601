"""Means over squares of bins, on the counts that the denoiser is scored on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import uniform_filter
from section import kidney

from clearspot.dusted.evaluation import HeldOutScore
from clearspot.dusted.section import gene_rates
from clearspot.dusted.thinning import thin_counts

SQUARES = (3, 5, 7, 9, 13, 19)
MIXED_IN = (0.03, 0.1, 0.2, 0.4)
"""Shares of the gene's mean; the one that suits the held-out counts best is taken, an advantage over the denoiser."""


def averages(bin_um: int, side_um: int) -> Iterator[dict[str, object]]:
    """A row for each size of the square."""
    source, params = kidney(bin_um, side_um, 1.5)
    section = source.section
    kept, held_out = thin_counts(section.counts, params.holdout, params.seed)
    section, observed = section.thinned(kept, 1 - params.holdout, params), held_out.toarray()
    column, row = np.rint(section.positions / bin_um).astype(int).T
    counts = np.zeros((row.max() + 1, column.max() + 1, section.n_genes), dtype=np.float32)
    depth = np.zeros(counts.shape[:2], dtype=np.float32)
    counts[row, column], depth[row, column] = kept.toarray(), section.size_factor
    mean = gene_rates(section)
    ratio = params.holdout / (1 - params.holdout)

    def score(rates: np.ndarray) -> HeldOutScore:
        found = HeldOutScore(section.n_genes)
        found.add(rates * section.size_factor[:, None] * ratio, observed, section.size_factor)
        return found

    constant = score(np.tile(mean, (section.n_spots, 1))).deviance
    for size in SQUARES:
        total = uniform_filter(counts, (size, size, 0), mode="constant")[row, column]
        weight = uniform_filter(depth, size, mode="constant")[row, column]
        rates = total / np.maximum(weight, 1e-9)[:, None]
        scores = [score((1 - share) * rates + share * mean) for share in MIXED_IN]
        best = min(scores, key=lambda one: one.deviance)
        yield {
            "run": f"mean of {size} x {size}",
            "bin_um": bin_um,
            "bins": section.n_spots,
            "explained": round(100 * (1 - best.deviance / constant), 3),
            "correlation": round(float(np.nanmean(best.gene_correlation)), 4),
        }
