"""The capture operator: which share of every fine bin lies inside which spot.

Areas are exact (closed form), so that what a spot of constant density captures is its own area and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from clearspot.diffst.geometry.grid import FineGrid

_PAIRS_AT_ONCE: Final = 2_000_000
_NOTHING: Final = 1e-9
"""Shares below this are rounding."""

_Floats = NDArray[np.float64]
_Area = Callable[[_Floats, _Floats, slice], _Floats]
"""From the lower corners of squares around spots, and which spots these are, to what they have in common."""


def disk_operator(xy_px: ArrayLike, grid: FineGrid, diameter_um: float | ArrayLike) -> sparse.csr_array:
    """Capture operator of round spots.

    Parameters
    ----------
    xy_px
        (n_spots, 2): centres in full-resolution pixels (x, y).
    grid
        The fine grid.
    diameter_um
        Diameter of the spots, one for all or one each: what they capture (55 on Visium), not ``spot_diameter_fullres``.

    Returns
    -------
    CSR, float32, n_spots x n_bins: share of the bin's area inside the spot, from 0 to 1. Parts of a spot outside the
    grid are left out; a spot wholly outside has an empty row.
    """
    n_spots = len(np.asarray(xy_px).reshape(-1, 2))
    radius = np.broadcast_to(_positive(diameter_um, "diameter_um"), n_spots)[:, None] / grid.bin_um / 2

    def area(x: _Floats, y: _Floats, spots: slice) -> _Floats:
        return disk_square_area(x, y, radius[spots])

    return _operator(xy_px, grid, float(radius.max(initial=0)), area)


def square_operator(xy_px: ArrayLike, side_um: float, grid: FineGrid) -> sparse.csr_array:
    """Capture operator of axis-aligned squares: bins of Visium HD, pixels of a coarser map.

    Parameters and return value as in :func:`disk_operator`, with the squares' edge instead of the diameter.
    """
    half = float(_positive(side_um, "side_um")) / grid.bin_um / 2

    def area(x: _Floats, y: _Floats, _: slice) -> _Floats:
        return _overlap(x, half) * _overlap(y, half)

    return _operator(xy_px, grid, half, area)


def disk_square_area(x: ArrayLike, y: ArrayLike, radius: float | _Floats) -> _Floats:
    """Area that a disk around (0, 0) and unit squares have in common.

    The area below ``v`` and left of ``u`` is the integral of ``clip(v, -h(t), h(t))`` with ``h(t) = sqrt(r^2 - t^2)``,
    which splits at ``|t| = sqrt(r^2 - v^2)`` into a rectangle and two circular segments; a square is four such areas.

    Parameters
    ----------
    x, y
        Lower corners of the squares.
    radius
        Of the disk; broadcast against the squares.
    """
    left, low = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    right, high = left + 1, low + 1
    upper = _below(right, high, radius) - _below(left, high, radius)
    lower = _below(right, low, radius) - _below(left, low, radius)
    return np.clip(upper - lower, 0, 1)


def _below(u: _Floats, v: _Floats, radius: float | _Floats) -> _Floats:
    """Integral of ``clip(v, -h(t), h(t))`` over t from -radius to u; odd in v."""
    u, height = np.clip(u, -radius, radius), np.minimum(np.abs(v), radius)
    corner = np.sqrt(radius**2 - height**2)
    segments = _arc(np.minimum(u, -corner), radius) - _arc(-radius, radius)
    segments += _arc(np.maximum(u, corner), radius) - _arc(corner, radius)
    return np.sign(v) * (segments + height * (np.clip(u, -corner, corner) + corner))


def _arc(t: ArrayLike, radius: float | _Floats) -> _Floats:
    """Antiderivative of ``sqrt(radius^2 - t^2)``."""
    t = np.clip(np.asarray(t, dtype=np.float64), -radius, radius)
    area: _Floats = (t * np.sqrt(radius**2 - t**2) + radius**2 * np.arcsin(t / radius)) / 2
    return area


def _overlap(start: _Floats, half: float) -> _Floats:
    """Length that [start, start + 1] and [-half, half] have in common."""
    return np.clip(np.minimum(start + 1, half) - np.maximum(start, -half), 0, None)


def _operator(xy_px: ArrayLike, grid: FineGrid, half: float, area: _Area) -> sparse.csr_array:
    """Assemble from the areas of all bins in a window around each spot (in units of bins)."""
    centres = grid.to_grid(np.asarray(xy_px, dtype=np.float64).reshape(-1, 2))
    reach = int(np.ceil(half)) + 1
    steps = np.arange(-reach, reach + 1)
    d_row, d_col = (part.ravel() for part in np.meshgrid(steps, steps, indexing="ij"))
    at_once = max(1, _PAIRS_AT_ONCE // len(d_row))
    spots, bins, shares = [], [], []
    for first in range(0, len(centres), at_once):
        block = centres[first : first + at_once]
        nearest = np.floor(block).astype(np.int64)
        col, row = nearest[:, 0, None] + d_col, nearest[:, 1, None] + d_row
        share = area(col - block[:, 0, None], row - block[:, 1, None], slice(first, first + len(block)))
        inside = (share > _NOTHING) & (row >= 0) & (row < grid.n_rows) & (col >= 0) & (col < grid.n_cols)
        spots.append(first + np.nonzero(inside)[0])
        bins.append(row[inside] * grid.n_cols + col[inside])
        shares.append(share[inside].astype(np.float32))
    shape = (len(centres), grid.n_bins)
    if not spots:
        return sparse.csr_array(shape, dtype=np.float32)
    entries = (np.concatenate(shares), (np.concatenate(spots), np.concatenate(bins)))
    return sparse.csr_array(entries, shape=shape, dtype=np.float32)


def _positive(value: float | ArrayLike, name: str) -> _Floats:
    sizes = np.asarray(value, dtype=np.float64)
    if not (sizes > 0).all():
        raise ValueError(f"{name} must be above 0, not {sizes.min()}")
    return sizes
