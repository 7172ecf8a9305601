"""Rows and columns of Visium HD bins that captured more or less than their neighbours: stripes.

Whole rows and columns of a Visium HD slide hold more or fewer counts than the next ones. bin2cell (Polański et al.,
Bioinformatics 2024) divides a row by a high quantile of its counts, which also takes off the tissue in that row. Here a
row is compared with the nearest rows in the same columns, piece by piece. A stripe is the same in all pieces of its
row, and tissue is not, so that only what even and odd pieces have in common counts as a stripe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.sparse import csr_array, eye_array, lil_array
from scipy.sparse.linalg import spsolve

REACHES: Final = (1, 2, 4)
"""Rows on either side with which a row is compared. The nearest share most of their tissue and measure the strength;
wider ones see stripes that vary slowly."""

PIECE_BINS: Final = 8
"""Bins of a row that are summed: enough for the logarithm of their counts, and fewer than tissue structures span."""

_FEWEST_PIECES: Final = 6
_FEWEST_ROWS: Final = 20
_PSEUDOCOUNT: Final = 0.5
_FAR: Final = 4.0
"""Robust standard deviations to which a row's difference is clipped in the estimate of the strength."""

_CHANCE: Final = 2.0
"""Standard errors that what even and odd pieces have in common must exceed to be called stripes."""

_OF_DIFFERENCE: Final = 1.5
"""Variance of a row's factor less the mean of its two neighbours', in variances of a factor."""

Grid = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """Factors of all rows, or of all columns.

    Parameters
    ----------
    number
        ``(k,)``: index of each row in the array.
    factor
        ``(k,)``: what divides the counts of each row; 1 throughout where there are no stripes.
    strength
        Standard deviation of the logarithm of the factors: with 0.05 rows are 5 % too bright or too dark.
    """

    number: NDArray[np.int64]
    factor: Grid
    strength: float


@dataclass(frozen=True)
class Stripes:
    """Stripes of one section.

    Parameters
    ----------
    rows, columns
        Their factors.
    of_bin
        ``(n,)``: product of both factors at each bin, which divides its counts.
    """

    rows: Lines
    columns: Lines
    of_bin: Grid


def measure_stripes(
    row: NDArray[np.integer], column: NDArray[np.integer], totals: NDArray[np.number]
) -> Stripes | None:
    """Measure the stripes of a section.

    Parameters
    ----------
    row, column
        ``(n,)``: place of each bin in the array; no two share one.
    totals
        ``(n,)``: counts of each bin.

    Returns
    -------
    The stripes; ``None`` where fewer than 20 rows or columns have six pieces of 8 bins to compare.
    """
    row, column = np.asarray(row, dtype=np.int64), np.asarray(column, dtype=np.int64)
    if not len(row):
        return None
    first = int(row.min()), int(column.min())
    place = row - first[0], column - first[1]
    there = np.zeros((int(place[0].max()) + 1, int(place[1].max()) + 1))
    counts = np.zeros_like(there)
    there[place], counts[place] = 1.0, totals
    rows, columns = _lines(counts, there, first[0]), _lines(counts.T, there.T, first[1])
    if rows is None or columns is None:
        return None
    return Stripes(rows, columns, rows.factor[place[0]] * columns.factor[place[1]])


@dataclass(frozen=True)
class _Differences:
    """Logarithms of rows over the mean of their nearest rows.

    Parameters
    ----------
    rows
        Rows that can be compared.
    all_pieces
        Median over the pieces of each.
    common, error
        Variance that even and odd pieces have in common (0 where it could be chance), and that of the median of all
        pieces about it.
    """

    rows: NDArray[np.intp]
    all_pieces: Grid
    common: float
    error: float


def _lines(counts: Grid, there: Grid, first: int) -> Lines | None:
    """Factors of the rows of a grid: those that explain their differences best, drawn towards 1 by the strength."""
    found = {reach: _differences(counts, there, reach) for reach in REACHES}
    nearest = found[REACHES[0]]
    if nearest is None:
        return None
    n_rows = len(counts)
    number = np.arange(n_rows, dtype=np.int64) + first
    variance = nearest.common / _OF_DIFFERENCE
    if not variance > 0:
        return Lines(number, np.ones(n_rows), 0.0)
    normal = csr_array(eye_array(n_rows)) / variance
    wanted = np.zeros(n_rows)
    for reach, one in found.items():
        if one is None:
            continue
        # each row is seen once for every reach, through much the same noise: together they count as one
        weight = 1.0 / (len(REACHES) * max(one.error, 1e-8))
        operator = _operator(n_rows, one.rows, reach)
        normal = normal + weight * (operator.T @ operator)
        wanted += weight * (operator.T @ one.all_pieces)
    logarithm = np.asarray(spsolve(normal.tocsc(), wanted))
    return Lines(number, np.exp(logarithm - np.median(logarithm)), float(np.sqrt(variance)))


def _differences(counts: Grid, there: Grid, reach: int) -> _Differences | None:
    """Compare each row with so many rows on either side, piece by piece."""
    around, n_around = (_nearest_rows(grid, reach) for grid in (counts, there))
    compared = (there > 0) & (n_around > 2 * reach - 0.5)
    starts = np.arange(0, counts.shape[1], PIECE_BINS)
    observed, expected, n_bins = (
        np.add.reduceat(np.where(compared, grid, 0.0), starts, axis=1) for grid in (counts, around / (2 * reach), there)
    )
    # what cannot be compared is left out: NaN
    pieces = np.where(
        n_bins >= PIECE_BINS / 2, np.log(observed + _PSEUDOCOUNT) - np.log(expected + _PSEUDOCOUNT), np.nan
    )
    rows = np.flatnonzero(
        (np.isfinite(pieces).sum(axis=1) >= _FEWEST_PIECES)
        & (np.isfinite(pieces[:, ::2]).sum(axis=1) > 0)
        & (np.isfinite(pieces[:, 1::2]).sum(axis=1) > 0)
    )
    if len(rows) < _FEWEST_ROWS:
        return None
    every, even, odd = (np.nanmedian(part, axis=1) for part in (pieces[rows], pieces[rows, ::2], pieces[rows, 1::2]))
    every, even, odd = (_clipped(part - np.median(part)) for part in (every, even, odd))
    common = float(np.mean(even * odd))
    chance = float(np.sqrt(np.mean(even**2) * np.mean(odd**2) / len(rows)))
    common = common if common > _CHANCE * chance else 0.0
    error = float(np.mean((even - odd) ** 2)) / 4.0
    return _Differences(rows, every, common, error)


def _clipped(values: Grid) -> Grid:
    scale = _FAR * 1.4826 * float(np.median(np.abs(values)))
    return np.clip(values, -scale, scale)


def _operator(n_rows: int, rows: NDArray[np.intp], reach: int) -> csr_array:
    """Matrix that takes each row less the mean of its nearest rows."""
    operator = lil_array((len(rows), n_rows))
    index = np.arange(len(rows))
    operator[index, rows] = 1.0
    for step in range(1, reach + 1):
        for side in (-step, step):
            operator[index, rows + side] = -1.0 / (2 * reach)
    return csr_array(operator)


def _nearest_rows(grid: Grid, reach: int) -> Grid:
    """Sum of the nearest rows on either side, without the row itself."""
    width = 2 * reach + 1
    return np.asarray(uniform_filter1d(grid, width, axis=0, mode="constant") * width - grid)
