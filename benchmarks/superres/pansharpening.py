"""Detail that the image shows below the distance of the spots, as factors on a smooth map."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse
from sklearn.linear_model import RidgeCV

from clearspot.diffst.geometry.grid import FineGrid

_TRUNCATE: Final = 4.0

_CONTEXT_BINS: Final = (0.0, 1.5, 4.0)
"""Widths of the surroundings, in bins, of which the image features tell beside the bin's own."""

_RIDGE_ALPHAS: Final = np.logspace(0, 5, 11)
_MOST: Final = 4.0


def image_detail(
    values: ArrayLike, A: sparse.sparray, grid: FineGrid, features: NDArray[np.floating], width_um: float
) -> NDArray[np.float32]:
    """Factors by which the image says that bins differ from their surroundings (pan-sharpening).

    Spots' densities (square root) are regressed on the image features under them, the regression is applied to the
    bins, and what it says there is divided by its own Gaussian mean. Times a map that is smooth on the scale of that
    Gaussian it adds what the image shows below the distance of the spots, and nothing else.

    Parameters
    ----------
    values
        (n_spots, K): totals of spots (counts or program amounts).
    A
        Capture operator.
    grid
        The fine grid.
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
