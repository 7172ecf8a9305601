"""How unevenly the genes of a place are lost against another place of the same tissue, and whether any is gained.

A thin, cell-poor or shallow part holds a share of all genes alike; another tissue holds less of some and more of
others. Decay takes transcripts at unlike rates and adds none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.checks.cells import Cells

_LEAST_COUNTS: Final = 200
_MOST_WEIGHT: Final = 400.0
"""Weight of a gene in the spread of folds: that of 800 counts, so that the commonest do not decide alone."""


@dataclass(frozen=True)
class Losses:
    """Genes of one place against another.

    Parameters
    ----------
    unevenness
        Standard deviation of the genes' log folds beyond their Poisson noise.
    gained
        Summed gains over summed gains and losses, in counts a place.
    """

    unevenness: float
    gained: float


def compare_losses(
    cells: Cells, inside: NDArray[np.intp], around: NDArray[np.intp], ignored: NDArray[np.bool_]
) -> Losses | None:
    """Compare two places gene by gene.

    Parameters
    ----------
    cells
        The cells.
    inside, around
        Cells of the two places.
    ignored
        G: genes left out (mitochondrial ones gather in damage by themselves, haemoglobin is blood).

    Returns
    -------
    ``None`` where fewer than two genes have 200 counts in both together.
    """
    a, b = (np.asarray(cells.counts[of].sum(axis=0), dtype=np.float64).ravel() for of in (inside, around))
    in_a, in_b = a / cells.n_bins[inside].sum(), b / cells.n_bins[around].sum()
    change = np.where(ignored, 0, in_a - in_b)
    judged = ~ignored & (a + b >= _LEAST_COUNTS)
    if judged.sum() < 2 or not change.any():
        return None
    fold = np.log((a[judged] + 0.5) / cells.n_bins[inside].sum()) - np.log(
        (b[judged] + 0.5) / cells.n_bins[around].sum()
    )
    noise = 1 / (a[judged] + 0.5) + 1 / (b[judged] + 0.5)
    weight = np.minimum(1 / noise, _MOST_WEIGHT)
    excess = np.average((fold - np.average(fold, weights=weight)) ** 2 - noise, weights=weight)
    gained = float(np.maximum(change, 0).sum() / np.abs(change).sum())
    return Losses(float(np.sqrt(max(excess, 0.0))), gained)
