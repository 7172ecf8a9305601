"""Moran's I, and what it would be by chance.

``squidpy.gr.spatial_autocorr`` (1.8) gives the same I, but its permutations shuffle the rows of the weights and leave
the columns in place. That tears the pairs (i, j) and (j, i) apart and makes the null's standard deviation too small by
the square root of two: p-values too small. Here spots are shuffled, as the test is defined.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, spmatrix

_VALUES_AT_ONCE: Final = 20_000_000


def row_weights(connectivities: spmatrix) -> csr_matrix:
    """Weights that add up to 1 in every row (a spot without neighbours keeps an empty row)."""
    weights = csr_matrix(connectivities, dtype=np.float64)
    totals = np.asarray(abs(weights).sum(axis=1)).ravel()
    share = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    data = weights.data * np.repeat(share, np.diff(weights.indptr))
    # without a shape SciPy leaves out the last columns where they are empty
    return csr_matrix((data, weights.indices, weights.indptr), shape=weights.shape)


def morans_i(weights: spmatrix, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Moran's I of each column.

    ``I = n / W * sum_ij w_ij z_i z_j / sum_i z_i^2``, z being deviations from the mean and W the sum of the weights.

    Parameters
    ----------
    weights
        N x N.
    values
        N x G.

    Returns
    -------
    G values between about -1 and 1; missing where a column is constant or there are no weights.
    """
    found = [_scale(weights, z) * _cross(weights, z) for z in _deviations(values)]
    return np.concatenate(found) if found else np.empty(0)


def permutation_test(
    weights: spmatrix, values: NDArray[np.floating], n_perms: int = 100, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moran's I and its one-sided p-value under shuffled spots, for each column.

    All columns see the same shuffles.

    Parameters
    ----------
    weights
        N x N.
    values
        N x G.
    n_perms
        Number of shuffles; the smallest p-value is ``1 / (n_perms + 1)``.
    seed
        Seed of the shuffles.

    Returns
    -------
    I and ``(1 + number of shuffles with as large an I) / (n_perms + 1)``, both missing for constant columns.
    """
    if n_perms < 1:
        raise ValueError(f"n_perms must be at least 1, not {n_perms}")
    observed, p_values = [], []
    for z in _deviations(values):
        # Shuffling changes neither mean nor variance: only the cross product has to be computed again.
        scale = _scale(weights, z)
        cross = _cross(weights, z)
        reached = np.zeros(z.shape[1])
        rng = np.random.default_rng(seed)
        for _ in range(n_perms):
            reached += _cross(weights, z[rng.permutation(len(z))]) >= cross
        observed.append(scale * cross)
        p_values.append(np.where(np.isfinite(scale), (1 + reached) / (n_perms + 1), np.nan))
    return (np.concatenate(observed), np.concatenate(p_values)) if observed else (np.empty(0), np.empty(0))


def moments_by_chance(weights: spmatrix, values: NDArray[np.floating]) -> tuple[float, NDArray[np.float64]]:
    """Mean and standard deviation that Moran's I of each column has under all shuffles of the spots.

    Exact (Cliff and Ord 1981, the randomisation assumption), so that small p-values cost no shuffles. Their
    distribution is near to normal where a column is not that of a few spots alone.

    Parameters
    ----------
    weights
        N x N without a diagonal, N at least 4.
    values
        N x G.

    Returns
    -------
    ``-1 / (N - 1)``, and G standard deviations; missing where a column is constant or there are no weights.
    """
    n = values.shape[0]
    if n < 4:
        raise ValueError(f"the moments of Moran's I need at least 4 spots, not {n}")
    w = csr_matrix(weights, dtype=np.float64)
    total = float(w.sum())
    both = w + w.T
    s1 = float((both.data**2).sum()) / 2
    s2 = float(((np.asarray(w.sum(axis=1)).ravel() + np.asarray(w.sum(axis=0)).ravel()) ** 2).sum())
    mean = -1.0 / (n - 1)
    found = []
    for z in _deviations(values):
        squares = (z**2).sum(axis=0)
        known = (squares > 0) & (total > 0)
        kurtosis = np.divide(n * (z**4).sum(axis=0), squares**2, out=np.full(squares.size, np.nan), where=known)
        first = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * total**2)
        second = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * total**2)
        below = (n - 1) * (n - 2) * (n - 3) * total**2 if total > 0 else np.nan
        found.append(np.sqrt(np.maximum((first - second) / below - mean**2, 0.0)))
    return mean, np.concatenate(found) if found else np.empty(0)


def _deviations(values: NDArray[np.floating]) -> Iterator[NDArray[np.float64]]:
    """Blocks of columns less their means, small enough to hold in memory; constant columns become exactly zero."""
    step = max(1, _VALUES_AT_ONCE // max(1, len(values)))
    for start in range(0, values.shape[1], step):
        block = np.asarray(values[:, start : start + step], dtype=np.float64)
        # The mean of equal numbers need not be that number, and the rounding error would pass for a pattern.
        yield np.where(np.ptp(block, axis=0) > 0, block - block.mean(axis=0), 0.0)


def _cross(weights: spmatrix, z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.einsum("ij,ij->j", z, weights @ z)


def _scale(weights: spmatrix, z: NDArray[np.float64]) -> NDArray[np.float64]:
    total = float(weights.sum())
    squares = np.einsum("ij,ij->j", z, z)
    return np.divide(len(z), total * squares, out=np.full(z.shape[1], np.nan), where=(squares > 0) & (total > 0))
