"""Pixel arithmetic: means over boxes, and any pixel type as uint8 RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class BoxMean:
    """Mean over square boxes of an image that arrives in pieces.

    Parameters
    ----------
    shape
        Height, width and channels of the whole image.
    max_side
        The box is the smallest with which no side of the result is longer than this.
    dtype
        Pixel type of the result.
    """

    def __init__(self, shape: tuple[int, ...], max_side: int, dtype: np.dtype[Any]):
        height, width, channels = shape
        self.box = max(1, -(-max(height, width) // max_side))
        self._size = (height, width)
        self._dtype = dtype
        self._sum = np.zeros((-(-height // self.box), -(-width // self.box), channels), dtype=np.float32)
        rows = np.bincount(np.arange(height) // self.box).astype(np.float32)
        columns = np.bincount(np.arange(width) // self.box).astype(np.float32)
        self._area = (rows[:, np.newaxis] * columns)[:, :, np.newaxis]

    def add(self, piece: NDArray[Any], row: int, column: int, channel: int = 0) -> None:
        """Add a piece (height x width x channels) whose first pixel stands at this place of the whole image.

        What reaches beyond the image (tiles at its edge) is cut off.
        """
        piece = piece[: self._size[0] - row, : self._size[1] - column]
        height, width, channels = piece.shape
        if self.box > 1:
            piece = np.add.reduceat(piece, self._bounds(row, height), axis=0, dtype=np.float32)
            piece = np.add.reduceat(piece, self._bounds(column, width), axis=1, dtype=np.float32)
        target = self._sum[row // self.box :, column // self.box :, channel : channel + channels]
        target[: piece.shape[0], : piece.shape[1]] += piece

    def _bounds(self, first: int, length: int) -> NDArray[np.intp]:
        """Where boxes begin within a piece that begins at ``first``."""
        return np.union1d(0, np.arange(-first % self.box, length, self.box))

    def mean(self) -> NDArray[Any]:
        """Mean of each box, in the image's own pixel type. Pieces that never came count as 0."""
        mean = self._sum / self._area
        return mean.astype(self._dtype) if self._dtype.kind == "f" else np.rint(mean).astype(self._dtype)


def to_uint8_rgb(pixels: NDArray[Any], *, alpha: bool) -> NDArray[np.uint8]:
    """Make a picture that any viewer shows.

    Integers beyond 8 bits are divided by the depth that they use (10, 12, 14 or 16 bits, from the largest value):
    a fixed scale, where a contrast stretch would make an empty image look full. Floats count from 0 to 1, or as
    integers where one exceeds 1.

    Parameters
    ----------
    pixels
        Height x width x channels.
    alpha
        Whether the last channel is transparency; transparent pixels become white.

    Returns
    -------
    ndarray
        uint8, height x width x 3. One channel is shown grey, two red and green, of more than three the first three.
    """
    shown = _to_uint8(pixels)
    if alpha:
        opacity = shown[:, :, -1:].astype(np.uint16)
        shown = shown[:, :, :-1]
        if opacity.min() < 255:
            shown = ((shown * opacity + 255 * (255 - opacity)) // 255).astype(np.uint8)
    channels = shown.shape[2]
    if channels == 1:
        shown = np.repeat(shown, 3, axis=2)
    elif channels == 2:
        shown = np.concatenate([shown, np.zeros_like(shown[:, :, :1])], axis=2)
    return np.ascontiguousarray(shown[:, :, :3])


def _to_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    largest = float(np.nanmax(pixels)) if pixels.size else 0.0
    if pixels.dtype.kind == "f" and largest <= 1:
        full = 1.0
    else:
        full = float(next((2**bits - 1 for bits in (8, 10, 12, 14, 16) if largest < 2**bits), largest))
    return np.rint(np.clip(np.nan_to_num(pixels) / full, 0, 1) * 255).astype(np.uint8)
