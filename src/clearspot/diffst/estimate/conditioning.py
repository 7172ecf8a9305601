"""What the spots say about the fine grid: their values spread over it, and where anything was measured at all."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse
from scipy.spatial import cKDTree
from skimage.filters import threshold_otsu
from sklearn.linear_model import RidgeCV

from clearspot.diffst.geometry.grid import FineGrid

_TRUNCATE: Final = 4.0
_NO_WEIGHT: Final = 1e-5

_CONTEXT_BINS: Final = (0.0, 1.5, 4.0)
"""Widths of the surroundings, in bins, of which the image features tell beside the bin's own."""

_RIDGE_ALPHAS: Final = np.logspace(0, 5, 11)
_MOST: Final = 4.0


class Evidence(IntEnum):
    """What stands behind the value of a bin."""

    OFF_TISSUE = 0
    GAP = 1
    MEASURED = 2


def spread(values: ArrayLike, A: sparse.sparray, grid: FineGrid, width_um: float) -> NDArray[np.float32]:
    """Spread spots' values over the grid, as values per bin.

    Inside a spot a bin has the spot's density. Between spots it has a Gaussian mean of the spots' densities around it
    (normalised convolution, Knutsson & Westin 1993, CVPR), far from all of them that of the nearest place that has one.
    A bin partly in a spot has its share of both.

    Parameters
    ----------
    values
        (n_spots, K): totals of spots (counts or program amounts).
    A
        Capture operator.
    grid
        The fine grid.
    width_um
        Standard deviation of the Gaussian: about half the spots' pitch.

    Returns
    -------
    float32, K x rows x columns.

    Raises
    ------
    ValueError
        If no spot reaches the grid.
    """
    operator = sparse.csr_array(A)
    totals = np.asarray(values, dtype=np.float32)
    area = np.asarray(operator.sum(axis=1)).ravel()
    if not (area > 0).any():
        raise ValueError("no spot lies on the grid")
    density = np.divide(totals, area[:, None], out=np.zeros_like(totals), where=area[:, None] > 0)
    transposed = sparse.csr_array(operator.T)
    covered = np.asarray(transposed.sum(axis=1), dtype=np.float32).reshape(grid.shape)
    width = width_um / grid.bin_um
    weight = ndimage.gaussian_filter(covered, width, mode="constant", truncate=_TRUNCATE)
    known = weight > _NO_WEIGHT
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    inside = np.minimum(covered, 1)
    result = np.empty((totals.shape[1], *grid.shape), dtype=np.float32)
    for program in range(totals.shape[1]):
        captured = (transposed @ density[:, program]).reshape(grid.shape)
        smooth = ndimage.gaussian_filter(captured, width, mode="constant", truncate=_TRUNCATE)
        smooth = np.divide(smooth, weight, out=np.zeros_like(smooth), where=known)[tuple(nearest)]
        own = np.divide(captured, covered, out=np.zeros_like(captured), where=covered > 0)
        result[program] = inside * own + (1 - inside) * smooth
    return result


def image_detail(
    values: ArrayLike, A: sparse.sparray, grid: FineGrid, features: NDArray[np.floating], width_um: float
) -> NDArray[np.float32]:
    """Factors by which the image says that bins differ from their surroundings (pan-sharpening).

    Spots' densities (square root) are regressed on the image features under them, the regression is applied to the
    bins, and what it says there is divided by its own Gaussian mean. Times a map that is smooth on the scale of that
    Gaussian, such as :func:`spread`'s, it adds what the image shows below the distance of the spots, and nothing else.

    Parameters
    ----------
    values, A, grid
        As in :func:`spread`.
    features
        (C, rows, columns): image features, standardised, 0 where there is no image.
    width_um
        Standard deviation of the Gaussian: that with which the map was smoothed.

    Returns
    -------
    float32, K x rows x columns, from 1/4 to 4; 1 everywhere for an image that tells nothing.
    """
    operator = sparse.csr_array(A)
    area = np.asarray(operator.sum(axis=1)).ravel()
    reached = area > 0
    maps = np.asarray(features, dtype=np.float32)
    scales = [ndimage.gaussian_filter(maps, (0, width, width)) if width else maps for width in _CONTEXT_BINS]
    per_bin = np.concatenate(scales).reshape(-1, grid.n_bins).T
    under_spots = (operator[reached] @ per_bin) / area[reached, None]
    roots = np.sqrt(np.asarray(values, dtype=np.float32)[reached] / area[reached, None])
    model = RidgeCV(_RIDGE_ALPHAS, alpha_per_target=True).fit(under_spots, roots)
    # Beyond what spots show, a linear model extrapolates.
    told = np.clip(model.predict(per_bin).reshape(grid.n_bins, -1), 0, roots.max(axis=0)) ** 2
    told = told.T.reshape(-1, *grid.shape).astype(np.float32)
    width = width_um / grid.bin_um
    around = ndimage.gaussian_filter(told, (0, width, width), mode="nearest", truncate=_TRUNCATE)
    floor = 1e-3 * told.mean(axis=(1, 2), keepdims=True) + 1e-12
    return np.asarray(np.clip((told + floor) / (around + floor), 1 / _MOST, _MOST), dtype=np.float32)


def evidence(A: sparse.sparray, grid: FineGrid, tissue: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Tell what stands behind each bin.

    Parameters
    ----------
    A
        Capture operator of the spots that were measured (on tissue, with counts).
    grid
        The fine grid.
    tissue
        rows x columns.

    Returns
    -------
    uint8, rows x columns, codes of :class:`Evidence`: measured where at least half of the bin's area lies in spots,
    whatever the tissue mask says; else gap on tissue.
    """
    covered = np.asarray(sparse.csr_array(A).sum(axis=0)).reshape(grid.shape)
    codes = np.where(tissue, Evidence.GAP, Evidence.OFF_TISSUE).astype(np.uint8)
    codes[covered >= 0.5] = Evidence.MEASURED
    return codes


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


def tissue_from_image(rgb: NDArray[np.number], valid: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """Take bins as tissue that are stained: optical density above Otsu's threshold, small holes closed.

    Parameters
    ----------
    rgb
        rows x columns x 3: mean colour of each bin, 0 to 255.
    valid
        rows x columns: where the image covers the bin.

    Returns
    -------
    bool, rows x columns; False outside the image, and everywhere on a picture of one colour.
    """
    density = -np.log10(np.clip(np.asarray(rgb, dtype=np.float32), 1, 255) / 255).mean(axis=2)
    covered = np.ones(density.shape, dtype=bool) if valid is None else valid
    if not covered.any() or np.ptp(density[covered]) < 0.01:
        return np.zeros(density.shape, dtype=bool)
    stained = (density > threshold_otsu(density[covered])) & covered
    return ndimage.binary_closing(stained, iterations=2) | stained
