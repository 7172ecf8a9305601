"""How the genes of a region compare with those of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

_LEAST_COUNTS: Final = 20
_ERRORS: Final = 3.0


@dataclass(frozen=True)
class Profile:
    """Genes of a region against those of its surroundings.

    Parameters
    ----------
    own_share
        Share of the region's counts that fall on genes with *more* counts a place than around it. Tissue of its own
        has such genes, however poor it is; damage only takes away.
    mito_inside, mito_around
        Mitochondrial share of the counts; ``None`` where no mitochondrial gene has counts.
    """

    own_share: float
    mito_inside: float | None
    mito_around: float | None

    @property
    def mito_ratio(self) -> float | None:
        """Mitochondrial share of the region over that around it; ``None`` where it was not measured."""
        if self.mito_inside is None or not self.mito_around:
            return None
        return self.mito_inside / self.mito_around


def compare_profiles(
    counts: csr_matrix,
    n_bins: NDArray[np.int64],
    inside: NDArray[np.intp],
    around: NDArray[np.intp],
    mito: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
) -> Profile:
    """Compare summed counts per place, gene by gene.

    Parameters
    ----------
    counts, n_bins
        C x G counts and C sizes of the cells.
    inside, around
        Cells of the region and of its surroundings.
    mito
        G: mitochondrial genes.
    ignored
        G: genes that say nothing about the tissue (haemoglobin: blood lies in tears and vessels).
    """
    a = np.asarray(counts[inside].sum(axis=0), dtype=np.float64).ravel()
    b = np.asarray(counts[around].sum(axis=0), dtype=np.float64).ravel()
    judged = (a + b >= _LEAST_COUNTS) & ~mito & ~ignored
    fold = np.log((a + 0.5) / n_bins[inside].sum()) - np.log((b + 0.5) / n_bins[around].sum())
    error = np.sqrt(1 / (a + 0.5) + 1 / (b + 0.5))
    own = judged & (fold > _ERRORS * error)
    total = float(a[judged].sum())
    measured = bool(a[mito].sum() + b[mito].sum() > 0) and a.sum() > 0 and b.sum() > 0
    return Profile(
        float(a[own].sum() / total) if total else 0.0,
        float(a[mito].sum() / a.sum()) if measured else None,
        float(b[mito].sum() / b.sum()) if measured else None,
    )
