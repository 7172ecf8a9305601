"""Rows and columns of Visium HD bins that captured more or less than their neighbours: stripes.

The oligonucleotides of a Visium HD slide are synthesised row by row and column by column, in wells of slightly
different width; whole rows and columns so hold more or fewer counts. bin2cell (Polański et al., Bioinformatics 2024)
divides a row by a high quantile of its counts, and so takes off what tissue lies in the row as well. Here each bin is
compared with the bins of the nearest rows in its own column, so that the tissue they share cancels; what is left of a
row is one factor, weighed against the error that the spread of its bins gives it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

REACH: Final = 4
"""Rows on either side with which a row is compared. Fewer share more tissue, and more noise."""

FEWEST_BINS: Final = 20
"""Bins of a row with neighbours on both sides below which its factor is not measured."""

_FEWEST_ROWS: Final = 20
_ROUNDS: Final = 3

Grid = NDArray[np.float64]


@dataclass(frozen=True)
class Lines:
    """Factors of all rows, or of all columns.

    Parameters
    ----------
    number
        ``(k,)``: index of each row in the array.
    factor
        ``(k,)``: counts over those that the nearest rows lead to expect, as they are measured.
    error
        ``(k,)``: standard error of the logarithm of ``factor``.
    strength
        Standard deviation of the logarithm of the rows' factors less their errors': 0.05 means rows that
        are 5 % too bright or too dark.
    """

    number: NDArray[np.int64]
    factor: Grid
    error: Grid
    strength: float

    def shrunk(self) -> Grid:
        """``(k,)``: the factors drawn towards 1 as far as their errors ask for: 1 throughout without stripes."""
        variance = self.strength**2
        weight = np.divide(variance, variance + self.error**2, out=np.zeros_like(self.error), where=variance > 0)
        return np.asarray(np.exp(weight * np.log(self.factor)))


@dataclass(frozen=True)
class Stripes:
    """Stripes of one section.

    Parameters
    ----------
    rows, columns
        Their factors.
    of_bin
        ``(n,)``: product of both shrunk factors at each bin, which divides its counts.
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
    The stripes; ``None`` for fewer than 20 rows or columns in which 20 bins have neighbours on both sides.
    """
    row, column = np.asarray(row, dtype=np.int64), np.asarray(column, dtype=np.int64)
    if not len(row):
        return None
    first = int(row.min()), int(column.min())
    shape = int(row.max()) - first[0] + 1, int(column.max()) - first[1] + 1
    place = row - first[0], column - first[1]
    there, counts = np.zeros(shape), np.zeros(shape)
    there[place], counts[place] = 1.0, totals
    by_row, by_column = np.ones(shape[0]), np.ones(shape[1])
    lines: tuple[Lines, Lines] | None = None
    for _ in range(_ROUNDS):  # the stripes of columns blur those of rows, and the other way round
        rows = _lines(counts / by_column[None, :], there, first[0])
        columns = _lines((counts / by_row[:, None]).T, there.T, first[1])
        if rows is None or columns is None:
            return None
        lines = rows, columns
        by_row, by_column = (np.ones(length) for length in shape)
        by_row[rows.number - first[0]] = rows.shrunk()
        by_column[columns.number - first[1]] = columns.shrunk()
    assert lines is not None
    return Stripes(*lines, by_row[place[0]] * by_column[place[1]])


def _lines(counts: Grid, there: Grid, first: int) -> Lines | None:
    """Compare each row of a grid with its nearest rows."""
    around, n_around = (_nearest_rows(grid) for grid in (counts, there))
    compared = (there > 0) & (n_around > REACH)  # more than one side of it
    expected = np.divide(around, n_around, out=np.zeros_like(around), where=compared)
    n_bins, total = compared.sum(axis=1), expected.sum(axis=1)
    observed = np.where(compared, counts, 0.0)
    kept = np.flatnonzero((n_bins >= FEWEST_BINS) & (total > 0) & (observed.sum(axis=1) > 0))
    if len(kept) < _FEWEST_ROWS:
        return None
    factor = observed.sum(axis=1)[kept] / total[kept]
    residual = np.where(compared[kept], counts[kept] - factor[:, None] * expected[kept], 0.0)
    error = np.sqrt((residual**2).sum(axis=1)) / observed.sum(axis=1)[kept]
    logarithm = np.log(factor)
    # a middle: of the median, so that one odd row says little; the error's share is taken off
    variance = float(np.median((logarithm - np.median(logarithm)) ** 2) / 0.4549 - np.median(error**2))
    return Lines(kept.astype(np.int64) + first, factor, error, float(np.sqrt(max(variance, 0.0))))


def _nearest_rows(grid: Grid) -> Grid:
    """Sum of the nearest rows on either side, without the row itself."""
    width = 2 * REACH + 1
    return uniform_filter1d(grid, width, axis=0, mode="constant") * width - grid
