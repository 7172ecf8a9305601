"""Which bins of a section are tissue."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.geometry.grid import FineGrid


def tissue_of(section: SpotSection) -> NDArray[np.bool_]:
    """Bins within three quarters of a pitch of a spot on tissue."""
    return tissue_from_spots(section.xy_px, section.grid, 0.75 * section.pitch_um)


def tissue_from_spots(xy_px: ArrayLike, grid: FineGrid, reach_um: float) -> NDArray[np.bool_]:
    """Take bins as tissue that lie near a spot on tissue.

    Parameters
    ----------
    xy_px
        (n, 2): centres of the spots on tissue, full-resolution pixels (x, y).
    grid
        The fine grid.
    reach_um
        Largest distance from a bin's centre to a spot's. Three quarters of the pitch leave no hole in a hexagonal
        (0.58 pitches) or square (0.71) lattice.

    Returns
    -------
    bool, rows x columns.
    """
    points = np.asarray(xy_px, dtype=np.float64)
    distance, _ = cKDTree(points).query(grid.centres_px(), distance_upper_bound=reach_um * grid.px_per_um)
    return np.isfinite(distance).reshape(grid.shape)
