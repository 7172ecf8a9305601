"""One noise field for a whole slide: the value at a place depends on the place alone, not on the tile that asks."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

BLOCK: Final = 64
"""Noise is drawn for whole blocks of this many rows and columns."""


def standard_normal(seed: int, sample: int, channels: int, rows: slice, cols: slice) -> NDArray[np.float32]:
    """Standard normal noise in a window of the slide's field.

    Counter-based (Philox, Salmon et al. 2011): the key holds seed and sample, the counter channel and block. Streams of
    different blocks never meet, because a block needs far fewer than 2^64 numbers.

    Parameters
    ----------
    seed, sample
        Which field; neither is negative.
    channels
        Number of channels; the first ones are the same whatever their number.
    rows, cols
        The window in the grid, with start and stop, not negative.

    Returns
    -------
    float32, channels x rows x columns.

    Raises
    ------
    ValueError
        If a number is negative or the window is not one.
    """
    if min(seed, sample, channels) < 0:
        raise ValueError(f"seed, sample and channels must not be negative: {seed}, {sample}, {channels}")
    for window in (rows, cols):
        if window.start is None or window.stop is None or not 0 <= window.start <= window.stop:
            raise ValueError(f"not a window of the grid: {window}")
    field = np.empty((channels, rows.stop - rows.start, cols.stop - cols.start), dtype=np.float32)
    for block_row in range(rows.start // BLOCK, -(-rows.stop // BLOCK)):
        to_row, from_row = _common(rows, block_row)
        for block_col in range(cols.start // BLOCK, -(-cols.stop // BLOCK)):
            to_col, from_col = _common(cols, block_col)
            for channel in range(channels):
                philox = np.random.Philox(key=[seed, sample], counter=[0, channel, block_row, block_col])
                block = np.random.Generator(philox).standard_normal((BLOCK, BLOCK), dtype=np.float32)
                field[channel, to_row, to_col] = block[from_row, from_col]
    return field


def _common(window: slice, block: int) -> tuple[slice, slice]:
    """What a window and a block have in common, as places in the window and in the block."""
    start, stop = max(window.start, block * BLOCK), min(window.stop, (block + 1) * BLOCK)
    return slice(start - window.start, stop - window.start), slice(start - block * BLOCK, stop - block * BLOCK)
