"""Values of spots spread over the fine grid."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse

from clearspot.diffst.geometry.grid import FineGrid

_TRUNCATE: Final = 4.0
_NO_WEIGHT: Final = 1e-5


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
