"""The best plain estimate of a map: what the image suggests, times how far the spots around differ from it.

The trend (from the image, or flat) is multiplied by a smooth ratio: the Gaussian mean of what spots measured over that
of what the trend expects of them: a ratio estimator with a Gaussian kernel. How wide the Gaussian is and how far the
trend is believed is chosen for every column of values by leaving spots out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.spatial import cKDTree

from clearspot.diffst.geometry.grid import FineGrid

WIDTHS: Final = (0.3, 0.45, 0.7, 1.0, 1.5, 2.5)
"""Standard deviations of the Gaussian that are tried, in pitches."""

TRUST: Final = (0.0, 0.5, 1.0)
"""Exponents of the trend that are tried: 0 ignores the image."""

_TRUNCATE: Final = 4.0
_NO_WEIGHT: Final = 1e-5
_FLOOR: Final = 1e-3
_SPOTS_AT_ONCE: Final = 512


def plain_estimate(
    values: NDArray[np.floating],
    operator: sparse.csr_array,
    grid: FineGrid,
    xy_px: NDArray[np.floating],
    pitch_um: float,
    trend: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> NDArray[np.float32]:
    """Density of every bin.

    Parameters
    ----------
    values
        ``(spots, K)``: totals of the spots.
    operator
        Capture operator of these spots.
    grid
        The bins.
    xy_px
        ``(spots, 2)``: centres.
    pitch_um
        Distance between neighbouring spots.
    trend
        ``(K, rows, columns)``: what the image suggests, positive, and ``(spots, K)``: the same for each spot, judged
        from the others. None: flat.

    Returns
    -------
    ``(K, rows, columns)`` float32, not negative.
    """
    values = np.asarray(values, dtype=np.float32)
    area = np.asarray(operator.sum(axis=1)).ravel()
    on_grid = area > 0
    values, area, centres = values[on_grid], area[on_grid], xy_px[on_grid]
    operator = sparse.csr_array(operator[on_grid])
    expectations = {0.0: np.broadcast_to(area[:, None], values.shape)}
    if trend is not None:
        expectations |= {trust: area[:, None] * trend[1][on_grid] ** np.float32(trust) for trust in TRUST if trust}
    widths, trust = choose_smoothing(values, expectations, centres, pitch_um * grid.px_per_um)
    back = sparse.csr_array(operator.T)
    result = np.empty((values.shape[1], *grid.shape), dtype=np.float32)
    for column in range(values.shape[1]):
        if trend is None or trust[column] == 0:
            believed = np.ones(grid.shape, dtype=np.float32)
        else:
            believed = trend[0][column] ** np.float32(trust[column])
        expected = operator @ believed.ravel()
        width = widths[column] * pitch_um / grid.bin_um
        result[column] = believed * smooth_ratio(values[:, column], expected, area, back, grid, width)
    return result


def gaussian_mean(
    values: NDArray[np.floating],
    operator: sparse.csr_array,
    grid: FineGrid,
    width_um: float,
) -> NDArray[np.float32]:
    """Density of every bin as the Gaussian mean of the spots', ``(K, rows, columns)``.

    Parameters
    ----------
    values, operator, grid
        As in :func:`plain_estimate`.
    width_um
        Standard deviation of the Gaussian.
    """
    area = np.asarray(operator.sum(axis=1)).ravel()
    on_grid = area > 0
    back, area = sparse.csr_array(operator[on_grid].T), area[on_grid]
    width = width_um / grid.bin_um
    return np.stack([smooth_ratio(one, area, area, back, grid, width) for one in np.asarray(values)[on_grid].T])


def smooth_ratio(
    measured: NDArray[np.floating],
    expected: NDArray[np.floating],
    area: NDArray[np.floating],
    back: sparse.csr_array,
    grid: FineGrid,
    width: float,
    prior: float = 0.0,
) -> NDArray[np.float32]:
    """Gaussian mean of what spots measured over that of what was expected of them, ``(rows, columns)``.

    Parameters
    ----------
    measured, expected, area
        ``(spots,)``.
    back
        Transposed capture operator.
    grid
        The bins.
    width
        Standard deviation of the Gaussian, in bins. Where it reaches no spot, the nearest place has the say; with a
        prior the ratio is 1 there.
    prior
        Counts with a ratio of 1 that are seen beside the spots', each of which weighs 1 at its own place.
    """
    over, under = (
        ndimage.gaussian_filter(
            (back @ (part / area)).reshape(grid.shape).astype(np.float32), width, mode="constant", truncate=_TRUNCATE
        )
        for part in (measured, expected)
    )
    if prior > 0:
        # the filter's weights add up to 1; the prior is in counts of which the nearest weigh 1
        of_prior = np.float32(prior / (2 * np.pi * width**2))
        return np.asarray((over + of_prior) / (under + of_prior), dtype=np.float32)
    known = under > _NO_WEIGHT * max(float(np.median(expected / area)), 1e-12)
    ratio = np.divide(over, under, out=np.zeros_like(over), where=known)
    if not known.all():
        nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
        ratio = ratio[tuple(nearest)]
    return np.asarray(ratio, dtype=np.float32)


def choose_smoothing(
    values: NDArray[np.floating],
    expectations: Mapping[float, NDArray[np.floating]],
    xy_px: NDArray[np.floating],
    pitch_px: float,
    widths: Sequence[float] = WIDTHS,
    prior: float = 0.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Width and expectation of every column that predict spots from the others best, by Poisson deviance.

    Parameters
    ----------
    values
        ``(spots, K)``: totals of the spots.
    expectations
        By key, what is expected of each spot, ``(spots, K)``.
    xy_px, pitch_px
        Centres, and the distance between neighbours.
    widths
        In pitches. Infinite: the expectation is left as it is.
    prior
        As of :func:`smooth_ratio`.

    Returns
    -------
    ``(K,)`` each: width in pitches, and key of the expectation.
    """
    best = np.full(values.shape[1], np.inf)
    chosen, keys = np.full(values.shape[1], widths[-1]), np.zeros(values.shape[1])
    floor = _FLOOR * values.mean(axis=0) + 1e-12
    summed = {
        width: _sums_of_others([values, *expectations.values()], xy_px, width * pitch_px)
        for width in widths
        if np.isfinite(width)
    }
    for number, (key, expectation) in enumerate(expectations.items(), start=1):
        for width in widths:
            rate = expectation
            if width in summed:
                measured, around = summed[width][0] + prior, summed[width][number] + prior
                rate = expectation * np.divide(measured, around, out=np.ones_like(around), where=around > 1e-12)
            rate = np.maximum(rate, floor)
            deviance = (rate - values * np.log(rate)).mean(axis=0)
            better = deviance < best
            best = np.where(better, deviance, best)
            chosen[better], keys[better] = width, key
    return chosen, keys


def _sums_of_others(
    parts: Sequence[NDArray[np.floating]], xy_px: NDArray[np.floating], width: float
) -> list[NDArray[np.float64]]:
    """Gaussian sums over the other spots, ``(spots, K)`` of each part; some spots at once, so memory stays flat."""
    tree, stacked = cKDTree(xy_px), np.hstack(parts)
    sums = np.empty(stacked.shape)
    for first in range(0, len(xy_px), _SPOTS_AT_ONCE):
        rows = slice(first, min(first + _SPOTS_AT_ONCE, len(xy_px)))
        sums[rows] = _weights_of_others(tree, rows, width) @ stacked
    return np.split(sums, np.cumsum([part.shape[1] for part in parts])[:-1], axis=1)


def _weights_of_others(tree: cKDTree, rows: slice, width: float) -> sparse.csr_array:
    """Gaussian weights of all spots but itself for some spots; of the nearest one alone where none is near."""
    here = cKDTree(tree.data[rows])
    pairs = sparse.coo_array(here.sparse_distance_matrix(tree, _TRUNCATE * width, output_type="coo_matrix"))
    other = pairs.row + rows.start != pairs.col
    weights = np.exp(-0.5 * (pairs.data[other] / width) ** 2)
    kernel = sparse.csr_array((weights, (pairs.row[other], pairs.col[other])), shape=(here.n, tree.n))
    lonely = np.flatnonzero(np.diff(kernel.indptr) == 0)
    if len(lonely) and tree.n > 1:
        nearest = tree.query(here.data[lonely], k=2)[1][:, 1]
        kernel = kernel + sparse.csr_array((np.ones(len(lonely)), (lonely, nearest)), shape=kernel.shape)
    return sparse.csr_array(kernel)
