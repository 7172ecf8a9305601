"""How unevenly genes are lost against the same tissue across a line, whether any is gained, whether all along alike.

A thin, cell-poor or shallow part holds a share of all genes alike; another tissue holds less of some and more of
others. Decay takes transcripts at unlike rates, adds none, and takes the same ones from every tissue that it reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.checks.cells import Cells

_LEAST_COUNTS: Final = 200
_LEAST_GENES: Final = 10
_MOST_WEIGHT: Final = 400.0
"""Weight of a gene in the spread of folds: that of 800 counts, so that the commonest do not decide alone."""

_LEAST_VARIANCE: Final = 1e-3


@dataclass(frozen=True)
class Losses:
    """Genes of one place against another.

    Parameters
    ----------
    unevenness
        Standard deviation of the genes' log folds beyond their Poisson noise.
    gained
        Summed gains over summed gains and losses, in counts a place.
    likeness
        Correlation of the folds of one half of the line with those of the other, less their Poisson noise.
    variety
        Standard deviation of the genes' log folds from one half of the line to the other that both its sides share: 0
        where it crosses one tissue only.
    continuity
        Correlation of these folds beside and across the line: near 1 where the same tissues lie on both of its sides.
    """

    unevenness: float
    gained: float
    likeness: float
    variety: float
    continuity: float


def compare_losses(
    cells: Cells, beside: NDArray[np.intp], across: NDArray[np.intp], ignored: NDArray[np.bool_]
) -> Losses | None:
    """Compare the two sides of a line gene by gene.

    Parameters
    ----------
    cells
        The cells.
    beside, across
        Cells on the poor side of the line and on the other.
    ignored
        G: genes left out (mitochondrial ones gather in damage by themselves, haemoglobin is blood).

    Returns
    -------
    ``None`` where fewer than ten genes have 200 counts in both together, or half of that in each half of the line.
    """
    centred = cells.xy - cells.xy[beside].mean(axis=0)
    along = centred @ np.linalg.svd(centred[beside], full_matrices=False)[2][0]
    sums = []
    for half in (along > 0, along <= 0):
        places = [of[half[of]] for of in (beside, across)]
        if not all(len(of) for of in places):
            return None
        counts = np.stack([np.asarray(cells.counts[of].sum(axis=0), dtype=np.float64).ravel() for of in places])
        sums.append((counts, np.array([[cells.n_bins[of].sum()] for of in places], dtype=np.float64)))
    whole = sums[0][0] + sums[1][0], sums[0][1] + sums[1][1]
    change = np.where(ignored, 0, np.subtract(*(whole[0] / whole[1])))
    judged = ~ignored & (whole[0].sum(axis=0) >= _LEAST_COUNTS)
    in_halves = ~ignored & np.all([counts.sum(axis=0) >= _LEAST_COUNTS / 2 for counts, _ in sums], axis=0)
    if min(judged.sum(), in_halves.sum()) < _LEAST_GENES or not change.any():
        return None
    fold, noise = _folds(*whole, judged)
    weight = np.minimum(1 / noise, _MOST_WEIGHT)
    unevenness = np.sqrt(max(_variance(fold, noise, weight), 0.0))
    likeness = _shared([_folds(*half, in_halves) for half in sums])[1]
    # the same counts, taken along the line: one half against the other, beside it and across it
    turned = [
        (np.stack([half[0][side] for half in sums]), np.stack([half[1][side] for half in sums])) for side in (0, 1)
    ]
    in_sides = ~ignored & np.all([counts.sum(axis=0) >= _LEAST_COUNTS / 2 for counts, _ in turned], axis=0)
    if in_sides.sum() < _LEAST_GENES:
        return None
    variety, continuity = _shared([_folds(*side, in_sides) for side in turned])
    gained = np.maximum(change, 0).sum() / np.abs(change).sum()
    return Losses(float(unevenness), float(gained), likeness, variety, continuity)


def _folds(
    counts: NDArray[np.float64], places: NDArray[np.float64], genes: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log folds of the first row over the second, and their Poisson variance."""
    padded = counts[:, genes] + 0.5
    fold: NDArray[np.float64] = np.subtract(*np.log(padded / places))
    noise: NDArray[np.float64] = (1 / padded).sum(axis=0)
    return fold, noise


def _variance(fold: NDArray[np.float64], noise: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    return float(np.average((fold - np.average(fold, weights=weight)) ** 2 - noise, weights=weight))


def _shared(folds: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> tuple[float, float]:
    """Standard deviation that two sets of folds share, and their correlation, both without Poisson noise."""
    weight = 1 / (1 / _MOST_WEIGHT + folds[0][1] + folds[1][1])
    one, other = (fold - np.average(fold, weights=weight) for fold, _ in folds)
    together = float(np.average(one * other, weights=weight))
    spread = [max(_variance(fold, noise, weight), _LEAST_VARIANCE) for fold, noise in folds]
    return float(np.sqrt(max(together, 0.0))), together / float(np.sqrt(spread[0] * spread[1]))
