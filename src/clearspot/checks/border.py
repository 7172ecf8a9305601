"""Bins at the border of a Visium HD slide, which lie partly outside the capture area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

SQUARES: Final = 3350
"""Rows and columns of 2 µm squares of the 6.5 mm capture area; bins of 8 µm are 837.5 a side, so that one is cut."""

FEWEST_BINS: Final = 20
_INSIDE: Final = (3, 8)
"""Bins with which the outermost is compared, counted from the border: near enough to share its tissue, and further in
than what the border spoils."""


@dataclass(frozen=True)
class Border:
    """What the outermost bins hold.

    Parameters
    ----------
    n_bins
        Bins under tissue in the first or last row or column of the capture area.
    ratio
        Mean counts of the outermost bins over those of the bins behind them, of the side where this is least;
        ``None`` where no side has 20 bins to compare.
    """

    n_bins: int
    ratio: float | None


def compare_border(
    row: NDArray[np.int64], column: NDArray[np.int64], totals: NDArray[np.float64], bin_um: float
) -> Border:
    """Compare the outermost bins of each side with those behind them in the same line.

    Parameters
    ----------
    row, column
        ``(n,)``: place of each bin in the array of the whole capture area.
    totals
        ``(n,)``: counts of each bin.
    bin_um
        Side of a bin in micrometres.
    """
    last = int(np.ceil(SQUARES * 2.0 / bin_um)) - 1
    outermost = np.zeros(len(row), dtype=bool)
    ratios = []
    for depth, along in ((row, column), (last - row, column), (column, row), (last - column, row)):
        outermost |= depth == 0
        ratios.append(_ratio(depth, along, totals))
    known = [ratio for ratio in ratios if ratio is not None]
    return Border(int(outermost.sum()), min(known) if known else None)


def _ratio(depth: NDArray[np.int64], along: NDArray[np.int64], totals: NDArray[np.float64]) -> float | None:
    """Counts of the bins at depth 0 over those behind them, over the lines that have both."""
    if depth.min(initial=1) < 0 or not (depth == 0).any():
        return None
    behind = (depth >= _INSIDE[0]) & (depth <= _INSIDE[1])
    length = int(along.max()) + 1
    number = np.bincount(along[behind], minlength=length)
    mean = np.bincount(along[behind], weights=totals[behind], minlength=length) / np.maximum(number, 1)
    outer = np.flatnonzero(depth == 0)
    outer = outer[number[along[outer]] > 0]
    expected = float(mean[along[outer]].sum())
    return float(totals[outer].sum() / expected) if len(outer) >= FEWEST_BINS and expected > 0 else None
