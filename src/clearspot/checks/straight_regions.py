"""Bands and sides of a section, cut off by straight lines, with a fall in counts across every line.

A tear or a dried edge runs through several tissues. So what lies beside its line is compared with what lies across the
line, place by place along it: both are of the same tissue, whatever that holds by nature, and no make-up is needed,
which damage to single genes changes. Lines are looked for at all angles and offsets, as by a Radon transform.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.checks.cells import Cells

_WIDTHS: Final = (1.5, 2.5, 4.0, 6.0, 8.0)
"""Widths of a band, in pitches: 150 to 400 µm on spots of 100 µm and on cells of 50 µm."""

_ROW: Final = 0.5
_COLUMN: Final = 2.0
"""Rows across the line and columns along it, in pitches: a column has a few cells on either side."""

_GAP: Final = 1
_FLANK: Final = 4
"""Rows beside the line that are left out (half-covered spots, spread RNA), and rows that are compared."""

_LEAST_COLUMNS: Final = 5
_MOST_ANGLES: Final = 180
_LARGEST: Final = 0.67
_FLOOR: Final = 0.1
"""Natural log by which two sides of a line differ anyhow; keeps length alone from deciding."""

_SAME: Final = 0.5
_LOOKED_AT: Final = 3000


@dataclass(frozen=True)
class Straight:
    """A band or a side.

    Parameters
    ----------
    inside
        Its cells.
    border
        Those of them within two pitches of a line.
    across
        Cells within two and a half pitches beyond a line.
    is_band
        Whether it has a line on both sides.
    step
        Mean fall of the log values into it, over places along the line; of a band's two lines the smaller.
    score
        Step in standard errors of its mean along the line.
    share
        Share of places along the line with a fall.
    """

    inside: NDArray[np.intp]
    border: NDArray[np.intp]
    across: NDArray[np.intp]
    is_band: bool
    step: float
    score: float
    share: float


def find_straight(values: NDArray[np.float64], cells: Cells, *, least_cells: int, most: int) -> list[Straight]:
    """Find the bands and sides with the surest fall of the values, best first.

    Parameters
    ----------
    values
        C values on a log scale, one a cell.
    cells
        The cells.
    least_cells
        Fewest cells of a band or side; a side has at most two thirds of all.
    most
        Number of bands and sides; of two that share most of their cells the surer one.
    """
    xy = (cells.xy - cells.xy.mean(axis=0)) / cells.pitch
    reach = float(np.hypot(*xy.T).max())
    # one pitch at the rim from angle to angle
    angles = np.linspace(0, np.pi, min(_MOST_ANGLES, int(np.ceil(np.pi * reach))), endpoint=False)
    rows = [_rows(xy, float(angle), reach) for angle in angles]
    tables = [
        _lines(values, xy, float(angle), reach, row, least_cells) for angle, row in zip(angles, rows, strict=True)
    ]
    number = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    lines = np.concatenate(tables)
    kept: list[Straight] = []
    seen: list[NDArray[np.bool_]] = []
    for place in np.argsort(-lines[:, 2], kind="stable")[:_LOOKED_AT]:
        first, last, score, step, share = lines[place]
        if len(kept) == most or score <= 0:
            break
        row = rows[number[place]]
        mask = (row >= first) & (row < last)
        if any((mask & other).sum() > _SAME * (mask | other).sum() for other in seen):
            continue
        seen.append(mask)
        below = (row < first) & ~mask
        beyond = ~mask & (
            ((row >= first - _GAP - _FLANK) & (row < first - _GAP))
            | ((row >= last + _GAP) & (row < last + _GAP + _FLANK))
        )
        above = (row >= last) & ~mask
        border = mask & ((below.any() & (row < first + _FLANK)) | (above.any() & (row >= last - _FLANK)))
        is_band = bool(below.any() and above.any())
        inside, beside, across = (np.flatnonzero(part) for part in (mask, border, beyond))
        kept.append(Straight(inside, beside, across, is_band, float(step), float(score), float(share)))
    return kept


def _rows(xy: NDArray[np.float64], angle: float, reach: float) -> NDArray[np.int64]:
    """C: row of each cell across lines of this angle, with room for flanks on both ends."""
    across = xy @ np.array([-np.sin(angle), np.cos(angle)])
    return np.floor((across + reach) / _ROW).astype(np.int64) + _FLANK + _GAP


def _lines(
    values: NDArray[np.float64], xy: NDArray[np.float64], angle: float, reach: float, row: NDArray[np.int64], least: int
) -> NDArray[np.float64]:
    """L x 5: first and last row (exclusive), score, step and share of all bands and sides of one angle."""
    column = np.floor((xy @ np.array([np.cos(angle), np.sin(angle)]) + reach) / _COLUMN).astype(np.int64)
    shape = (int(row.max()) + 2 + _FLANK + _GAP, int(column.max()) + 1)
    at, size = row * shape[1] + column, shape[0] * shape[1]
    # sums from the first row on, so that any strip of rows is a difference
    number = np.zeros((shape[0] + 1, shape[1]))
    total = np.zeros_like(number)
    number[1:] = np.cumsum(np.bincount(at, minlength=size).reshape(shape), axis=0)
    total[1:] = np.cumsum(np.bincount(at, weights=values, minlength=size).reshape(shape), axis=0)
    held = number.sum(axis=1)

    def mean(first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.float64]:
        """Mean values by column of the rows from first to last; not a number where there is no cell."""
        n = number[last] - number[first]
        strip: NDArray[np.float64] = np.where(n > 0, (total[last] - total[first]) / np.maximum(n, 1), np.nan)
        return strip

    edge = np.arange(_FLANK + _GAP, shape[0] - _FLANK - _GAP)
    into_later = _falls(mean(edge - _GAP - _FLANK, edge - _GAP) - mean(edge, edge + _FLANK))
    into_earlier = _falls(mean(edge + _GAP, edge + _GAP + _FLANK) - mean(edge - _FLANK, edge))
    found = [
        (edge, np.full(len(edge), shape[0]), into_later, held[-1] - held[edge]),
        (np.zeros(len(edge), dtype=np.int64), edge, into_earlier, held[edge]),
    ]
    for width in _WIDTHS:
        first = edge[edge + round(width / _ROW) + _GAP + _FLANK < shape[0]]
        last = first + round(width / _ROW)
        within = mean(first, last)
        one = _falls(mean(first - _GAP - _FLANK, first - _GAP) - within)
        other = _falls(mean(last + _GAP, last + _GAP + _FLANK) - within)
        found.append((first, last, np.minimum(one, other), held[last] - held[first]))
    table = [
        np.column_stack([first, last, *falls])[(n >= least) & (n <= _LARGEST * len(xy))]
        for first, last, falls, n in found
    ]
    return np.concatenate(table)


def _falls(fall: NDArray[np.float64]) -> NDArray[np.float64]:
    """3 x L: score, mean and share of the falls along each line; a score of 0 where too few places are known."""
    known = np.isfinite(fall)
    fall = np.where(known, fall, 0)
    n = np.maximum(known.sum(axis=1), 1)
    mean = fall.sum(axis=1) / n
    variance = (known * (fall - mean[:, None]) ** 2).sum(axis=1) / np.maximum(n - 1, 1)
    score = np.where(n >= _LEAST_COLUMNS, mean / np.sqrt(variance / n + _FLOOR**2), 0)
    return np.stack([score, mean, (known & (fall > 0)).sum(axis=1) / n])
