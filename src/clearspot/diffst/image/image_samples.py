"""Pixels of the histology image where the fine grid wants them, strip by strip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.io.image import probe_image, read_downscaled

MAX_SIDE = 12_000
"""Largest side of the image in memory: 1 µm a pixel on an 11 mm slide."""

_FINEST_UM = 1.0


class GridImage:
    """An image that can be read at regular points of the grid.

    Parameters
    ----------
    pixels
        uint8, height x width x 3.
    scale
        Its pixels per full-resolution pixel of the image, along columns and rows.
    grid
        Where to read.
    to_image
        3 x 3 affine map from the grid's pixels (x, y, 1) to full-resolution pixels of the image; None: they are the
        same.
    """

    def __init__(
        self,
        pixels: NDArray[np.uint8],
        scale: tuple[float, float],
        grid: FineGrid,
        to_image: NDArray[np.float64] | None = None,
    ):
        self._pixels, self._scale, self._grid = pixels, scale, grid
        self._matrix = None if to_image is None else np.diag([*scale, 1.0]) @ to_image

    @classmethod
    def open(
        cls,
        path: Path,
        grid: FineGrid,
        sample: str,
        pixels_per_fullres_pixel: float = 1.0,
        to_image: NDArray[np.float64] | None = None,
    ) -> GridImage:
        """Read a file, reduced to about 1 µm a pixel.

        Parameters
        ----------
        path
            The image.
        grid
            Where to read.
        sample
            Sample name, for messages.
        pixels_per_fullres_pixel
            Below 1 where a smaller image than the one the positions refer to is used on purpose.
        to_image
            See the class.

        Raises
        ------
        BadInputError
            The file is no image, or broken.
        """
        info = probe_image(path, sample)
        um_per_px = 1 / (grid.px_per_um * pixels_per_fullres_pixel * _enlargement(to_image))
        side = max(info.width, info.height)
        wanted = min(MAX_SIDE, int(np.ceil(side * um_per_px / _FINEST_UM)))
        pixels = read_downscaled(path, sample, max(1, min(side, wanted)))
        scale = pixels_per_fullres_pixel
        reduced = (scale * pixels.shape[1] / info.width, scale * pixels.shape[0] / info.height)
        return cls(pixels, reduced, grid, to_image)

    @property
    def um_per_px(self) -> float:
        """Micrometres a pixel of the image in memory."""
        enlarged = max(self._scale) if self._matrix is None else _enlargement(self._matrix)
        return 1 / (self._grid.px_per_um * enlarged)

    def strips(
        self, points_per_bin: int, bins_per_strip: int
    ) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.bool_]]]:
        """Pixels at ``points_per_bin x points_per_bin`` regular points of every bin, some rows of bins at a time.

        Yields
        ------
        First row of bins, pixels ``(rows * points, columns * points, 3)``, and which of these points the image covers.
        """
        n_rows, n_cols = self._grid.n_rows, self._grid.n_cols
        if self._matrix is not None:
            for first in range(0, n_rows, bins_per_strip):
                yield first, *self._slanting(self._matrix, first, min(first + bins_per_strip, n_rows), points_per_bin)
            return
        column, inside_column = self._index(0, n_cols, points_per_bin, axis=0)
        for first in range(0, n_rows, bins_per_strip):
            last = min(first + bins_per_strip, n_rows)
            row, inside_row = self._index(first, last, points_per_bin, axis=1)
            yield first, self._pixels[row][:, column], inside_row[:, None] & inside_column

    def _slanting(
        self, matrix: NDArray[np.float64], first: int, last: int, points: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Pixels of these rows of bins, and which of them the image covers, where it lies across the grid's axes."""
        x, y = self._places(0, self._grid.n_cols, points, axis=0), self._places(first, last, points, axis=1)
        column, row = (
            np.floor(along_x * x + (along_y * y + offset)[:, None]).astype(np.intp)
            for along_x, along_y, offset in matrix[:2]
        )
        height, width = self._pixels.shape[:2]
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return self._pixels[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)], inside

    def _index(self, first: int, last: int, points: int, axis: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Pixel along one axis (0: columns) for every point of these bins, and whether it lies in the image."""
        index = np.floor(self._places(first, last, points, axis) * self._scale[axis]).astype(np.intp)
        length = self._pixels.shape[1 - axis]
        return np.clip(index, 0, length - 1), (index >= 0) & (index < length)

    def _places(self, first: int, last: int, points: int, axis: int) -> NDArray[np.float64]:
        """Pixel of the grid along one axis (0: columns) for every point of these bins."""
        bin_px = self._grid.bin_um * self._grid.px_per_um
        return (np.arange(first * points, last * points) + 0.5) / points * bin_px + self._grid.origin_px[axis]


def _enlargement(matrix: NDArray[np.float64] | None) -> float:
    """Length in the image of a step of 1 on the grid: the mean over all directions that keeps areas."""
    return 1.0 if matrix is None else float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
