"""Where spots and bins lie, and how large they are, in pixels of the full-resolution image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.contract.sections import require_positions
from clearspot.qc.params import bin_size_um
from clearspot.qc.picture import microns_per_pixel, reduced_picture

_DIAMETER_TO_PITCH: Final = 0.55


@dataclass(frozen=True)
class Geometry:
    """Places of the observations.

    Parameters
    ----------
    xy
        Centres, shape ``(n, 2)``, column and row of a pixel.
    size
        Diameter of a spot or side of a bin, in pixels.
    um_per_px
        Size of a pixel in µm; ``None``: not known.
    lattice
        Row and column of each bin, shape ``(n, 2)``; ``None`` for round spots.
    """

    xy: NDArray[np.float64]
    size: float
    um_per_px: float | None
    lattice: NDArray[np.intp] | None

    @property
    def corners(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Corners of all bins of the lattice's frame, x and y, each of shape ``(rows + 1, columns + 1)``."""
        assert self.lattice is not None
        plane = _plane(self.lattice, self.xy)
        low, high = self.lattice.min(axis=0), self.lattice.max(axis=0)
        row, column = np.meshgrid(*(np.arange(a, b + 2) - 0.5 for a, b in zip(low, high, strict=True)), indexing="ij")
        x, y = (row * plane[0, axis] + column * plane[1, axis] + plane[2, axis] for axis in (0, 1))
        return x, y

    def on_lattice(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Values of the bins in the lattice's frame, NaN where there is no bin."""
        assert self.lattice is not None
        low, high = self.lattice.min(axis=0), self.lattice.max(axis=0)
        grid = np.full(tuple(high - low + 1), np.nan)
        grid[tuple((self.lattice - low).T)] = values
        return grid


def geometry_of(adata: ad.AnnData) -> Geometry:
    """Find out where the observations of one section lie.

    Raises
    ------
    BadInputError
        If there are no positions, or two observations stand at one place.
    """
    xy = require_positions(adata, "sample")
    scale = microns_per_pixel(adata)
    about = adata.uns.get(keys.UNS, {})
    side = about.get(keys.BIN_UM) if about.get(keys.PREDICTED) else bin_size_um(adata)
    if side and {keys.ARRAY_ROW, keys.ARRAY_COL} <= set(adata.obs):
        lattice = adata.obs[[keys.ARRAY_ROW, keys.ARRAY_COL]].to_numpy(dtype=np.intp)
        return Geometry(xy, float(np.linalg.norm(_plane(lattice, xy)[1])), scale, lattice)
    return Geometry(xy, _diameter(adata) or _DIAMETER_TO_PITCH * _pitch(xy), scale, None)


def _plane(lattice: NDArray[np.intp], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Step of a row, step of a column, and origin, each in x and y: bins lie on a lattice that may be turned."""
    plane = np.linalg.lstsq(np.column_stack([lattice, np.ones(len(lattice))]), xy, rcond=None)[0]
    return np.asarray(plane, dtype=np.float64)


def _pitch(xy: NDArray[np.float64]) -> float:
    """Median distance of a spot to its nearest neighbour."""
    return float(np.median(cKDTree(xy).query(xy, k=2)[0][:, 1])) if len(xy) > 1 else 1.0


def picture_of(adata: ad.AnnData) -> tuple[NDArray[Any], float] | None:
    """Reduced picture of the tissue, and its pixels per full-resolution pixel."""
    return reduced_picture(adata)


def _diameter(adata: ad.AnnData) -> float | None:
    """Diameter of a spot as Space Ranger states it."""
    for library in adata.uns.get(keys.UNS_SPATIAL, {}).values():
        value = library.get("scalefactors", {}).get("spot_diameter_fullres")
        if value:
            return float(value)
    return None
