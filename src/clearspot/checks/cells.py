"""Places that a regional check compares: spots as they are, Visium HD's bins summed into coarser cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

CELL_UM: Final = 100.0
"""Side of a cell of summed bins: the pitch of Visium's spots, so that one set of sizes serves both."""

_FEW: Final = 300
"""Cells below which a small section of bins is cut into cells of half the side."""

_LEAST_COVER: Final = 0.3
"""Share of a full cell's bins below which a cell at the tissue's edge is left out."""

_TOUCHING: Final = 1.5
"""Neighbours lie within so many pitches: 6 of a hexagon, 8 of a square lattice."""


@dataclass(frozen=True)
class Cells:
    """Places with counts, and which of them touch.

    Parameters
    ----------
    counts
        C x G counts of each cell.
    xy
        C x 2 centres, in the units of the positions.
    n_bins
        C: spots or bins in each cell; counts are compared per bin, since a cell at the edge holds fewer.
    of_spot
        N: cell of each spot or bin; -1 for one that is in none.
    pitch
        Distance of neighbouring cells, in the units of the positions.
    pairs
        P x 2: cells that touch.
    """

    counts: csr_matrix
    xy: NDArray[np.float64]
    n_bins: NDArray[np.int64]
    of_spot: NDArray[np.int64]
    pitch: float
    pairs: NDArray[np.intp]

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.xy)

    def totals(self) -> NDArray[np.float64]:
        """C: counts per spot or bin."""
        total: NDArray[np.float64] = np.asarray(self.counts.sum(axis=1), dtype=np.float64).ravel()
        return total / self.n_bins


def make_cells(
    counts: csr_matrix, xy: NDArray[np.float64], *, bin_um: float | None = None, um_per_unit: float | None = None
) -> Cells:
    """Make the cells of a section.

    Parameters
    ----------
    counts
        N x G counts.
    xy
        N x 2 positions.
    bin_um
        Side of a Visium HD bin, which are summed into squares of :data:`CELL_UM`; ``None``: spots stay as they are.
    um_per_unit
        Micrometres per unit of the positions; needed for bins, and found from their distance where left out.
    """
    xy = np.asarray(xy, dtype=np.float64)
    if bin_um is None or bin_um >= CELL_UM / 2:
        pitch = float(np.median(_nearest(xy)))
        of_spot = np.arange(len(xy), dtype=np.int64)
        return Cells(counts.tocsr(), xy, np.ones(len(xy), dtype=np.int64), of_spot, pitch, _touching(xy, pitch))
    per_unit = um_per_unit or bin_um / float(np.median(_nearest(xy[: 20 * 1024])))
    cell_um = CELL_UM if len(xy) * bin_um**2 >= _FEW * CELL_UM**2 else max(CELL_UM / 2, 2 * bin_um)
    side = cell_um / per_unit
    column, row = np.floor((xy - xy.min(axis=0)) / side).astype(np.int64).T
    _, cell, n_bins = np.unique(row * (column.max() + 1) + column, return_inverse=True, return_counts=True)
    kept = n_bins >= _LEAST_COVER * (cell_um / bin_um) ** 2
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    of_spot = number[cell]
    inside = np.flatnonzero(of_spot >= 0)
    shape = (int(kept.sum()), len(xy))
    gather = csr_matrix((np.ones(len(inside), dtype=np.float32), (of_spot[inside], inside)), shape=shape)
    weight = n_bins[kept].astype(np.int64)
    centres = np.asarray(gather @ xy) / weight[:, None]
    return Cells((gather @ counts).tocsr(), centres, weight, of_spot, side, _touching(centres, side))


def _nearest(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(xy) < 2:
        return np.ones(1)
    distance: NDArray[np.float64] = cKDTree(xy).query(xy, k=2)[0][:, 1]
    return distance


def _touching(xy: NDArray[np.float64], pitch: float) -> NDArray[np.intp]:
    pairs: NDArray[np.intp] = cKDTree(xy).query_pairs(_TOUCHING * pitch, output_type="ndarray")
    return pairs
