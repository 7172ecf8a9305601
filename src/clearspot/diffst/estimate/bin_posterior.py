"""What the programs of a counted bin may be, given a prediction: a bin's count is mostly counting noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.distributions.moments import shrunk_dispersion

_LEAST: Final = 1e-3
_PRIOR: Final = 0.01
"""Share of the programs' evidence, all together, that stands beside a program's own."""

_ENTRIES_AT_ONCE: Final = 500_000
_TINY: Final = 1e-9


def allotted(
    counts: sp.csr_matrix, amounts: NDArray[np.floating], loadings: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts of the genes, allotted to programs in proportion to what is predicted of each.

    Parameters
    ----------
    counts
        ``(bins, genes)``.
    amounts
        ``(bins, programs)``: predicted counts of each program.
    loadings
        ``(programs, genes)``.

    Returns
    -------
    Counts of each program ``(bins, programs)``, whose expectation is ``amounts`` where the prediction is right, and
    the variance that counting gives them.
    """
    a, w = np.maximum(np.asarray(amounts, dtype=np.float64), _TINY), np.asarray(loadings, dtype=np.float64)
    entries = sp.coo_matrix(counts, dtype=np.float64)
    expected = np.empty(entries.nnz)
    for first in range(0, entries.nnz, _ENTRIES_AT_ONCE):
        part = slice(first, first + _ENTRIES_AT_ONCE)
        expected[part] = np.einsum("nk,kn->n", a[entries.row[part]], w[:, entries.col[part]])
    ratio, noise = (
        sp.csr_matrix((entries.data / np.maximum(expected, _TINY) ** power, (entries.row, entries.col)), counts.shape)
        for power in (1, 2)
    )
    return a * (ratio @ w.T), a**2 * (noise @ (w**2).T)


def dispersion_sums(
    counts: NDArray[np.floating], noise: NDArray[np.floating], amounts: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squared errors of the prediction less their counting noise, and squared predictions: sums over bins.

    Parameters
    ----------
    counts, noise
        What :func:`allotted` gives.
    amounts
        As there.
    """
    a = np.asarray(amounts, dtype=np.float64)
    return ((counts - a) ** 2 - noise).sum(axis=0), (a**2).sum(axis=0)


def program_dispersion(sums: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Squared coefficient of variation of each program around its prediction, without counting noise, by moments.

    Parameters
    ----------
    sums
        What :func:`dispersion_sums` gives of some bins each.

    Returns
    -------
    ``(programs,)``, at least 0.001.
    """
    excess, power = (np.sum([one[part] for one in sums], axis=0) for part in (0, 1))
    return np.maximum(shrunk_dispersion(excess, power, _PRIOR * float(power.sum()), _LEAST), _LEAST)


def posterior_draw(
    counts: NDArray[np.floating],
    amounts: NDArray[np.floating],
    phi: NDArray[np.floating],
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Draw what the amounts of the programs may be, given what was counted of them, ``(bins, programs)``.

    The prior is a gamma of mean ``amounts`` and dispersion ``phi``, so that draws vary as the programs themselves do.
    Counts vary more, by their noise, and posterior means less.

    Parameters
    ----------
    counts, amounts
        As in :func:`allotted`.
    phi
        ``(programs,)``: see :func:`program_dispersion`.
    generator
        Source of randomness.
    """
    shape = 1 / np.asarray(phi, dtype=np.float64)
    a = np.maximum(np.asarray(amounts, dtype=np.float64), _TINY)
    return np.asarray(generator.standard_gamma(counts + shape) * (a / (a + shape)), dtype=np.float32)
