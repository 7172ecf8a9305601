"""Capture areas: where the spots of each slide lie, what they are called, in which order Space Ranger lists them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Literal

import numpy as np

Chemistry = Literal["v1", "v2", "hd"]
CHEMISTRIES: Final[tuple[Chemistry, ...]] = ("v1", "v2", "hd")

GRID_ROWS: Final = 78
GRID_COLS: Final = 128
PITCH_UM: Final = 100.0
SPOT_UM: Final = 55.0

HD_BINS: Final = 3350
"""Rows and columns of 2 µm squares on a Visium HD capture area."""

_BARCODE_SEED: Final = {"v1": 1, "v2": 2}


@dataclass(frozen=True)
class SpotArray:
    """Spots or bins of one slide, in the order of its positions file.

    Parameters
    ----------
    barcodes
        With the ``-1`` suffix.
    row, col
        int32 array indices.
    x_um, y_um
        Centres in the phantom's frame.
    size_um
        Diameter of a round spot, edge of a square bin.
    square
        True for the bins of Visium HD.
    shape
        Rows and columns of the whole array.
    """

    barcodes: np.ndarray
    row: np.ndarray
    col: np.ndarray
    x_um: np.ndarray
    y_um: np.ndarray
    size_um: float
    square: bool
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def area_um2(self) -> float:
        """Area of one spot or bin."""
        return self.size_um**2 if self.square else np.pi * self.size_um**2 / 4

    def take(self, index: np.ndarray) -> SpotArray:
        """Return some of the spots."""
        parts = {name: getattr(self, name)[index] for name in ("barcodes", "row", "col", "x_um", "y_um")}
        return replace(self, **parts)


def visium_array(chemistry: Literal["v1", "v2"], width_um: float, height_um: float) -> SpotArray:
    """The 78 x 128 hexagonal array, its middle on the middle of the field, turned by a fraction of a degree.

    Rows are 86.6 µm apart and a row's spots 100 µm, so column indices of one row differ by two. On a CytAssist slide
    (``v2``) columns run from right to left in the image, as real ones do.
    """
    if chemistry == "v1":  # listed row pair by row pair, along the columns
        row = np.concatenate([np.tile([top, top + 1], GRID_COLS // 2) for top in range(0, GRID_ROWS, 2)])
        col = np.tile(np.arange(GRID_COLS), GRID_ROWS // 2)
    else:  # listed row by row
        row = np.repeat(np.arange(GRID_ROWS), GRID_COLS // 2)
        col = np.concatenate([np.arange(GRID_COLS // 2) * 2 + (r % 2) for r in range(GRID_ROWS)])
    x = (col - (GRID_COLS - 1) / 2) * PITCH_UM / 2
    y = (row - (GRID_ROWS - 1) / 2) * PITCH_UM * np.sqrt(3) / 2
    mirror, angle = (1, np.deg2rad(0.15)) if chemistry == "v1" else (-1, np.deg2rad(-0.12))
    x, y = mirror * x * np.cos(angle) - y * np.sin(angle), mirror * x * np.sin(angle) + y * np.cos(angle)
    return SpotArray(
        _slide_barcodes(chemistry),
        row.astype(np.int32),
        col.astype(np.int32),
        x + width_um / 2,
        y + height_um / 2,
        SPOT_UM,
        square=False,
        shape=(GRID_ROWS, GRID_COLS),
    )


@cache
def _slide_barcodes(chemistry: str) -> np.ndarray:
    """Made-up barcodes of 16 nt, the same on every slide of a chemistry, as on real slides."""
    rng = np.random.default_rng(_BARCODE_SEED[chemistry])
    codes = rng.choice(4**16, size=GRID_ROWS * GRID_COLS // 2, replace=False)
    letters = np.array(list("ACGT"))[(codes[:, None] >> (2 * np.arange(16))) & 3]
    return np.array([f"{''.join(word)}-1" for word in letters])


def hd_array(bin_um: int, width_um: float, height_um: float) -> SpotArray:
    """Visium HD bins that cover the field (not the rest of the slide), which lies in the slide's middle.

    Columns run from right to left in the image, as real ones do. Bins of all sizes nest.

    Raises
    ------
    ValueError
        If the field is larger than the slide or not a whole number of 16 µm bins.
    """
    if width_um % 16 or height_um % 16 or max(width_um, height_um) > HD_BINS * 2:
        raise ValueError(
            f"a Visium HD field must be a multiple of 16 µm and at most {HD_BINS * 2} µm, not {width_um:g} x "
            f"{height_um:g}"
        )
    rows, cols = int(height_um // bin_um), int(width_um // bin_um)
    first_row, first_col = _hd_start(height_um) // bin_um, _hd_start(width_um) // bin_um
    row, col = (grid.ravel() for grid in np.mgrid[:rows, :cols])
    array_row, array_col = first_row + row, first_col + col
    barcodes = np.char.add(
        np.char.add(f"s_{bin_um:03d}um_", np.char.zfill(array_row.astype(str), 5)),
        np.char.add(np.char.add("_", np.char.zfill(array_col.astype(str), 5)), "-1"),
    )
    slide = int(np.ceil(HD_BINS * 2 / bin_um))
    return SpotArray(
        barcodes,
        array_row.astype(np.int32),
        array_col.astype(np.int32),
        width_um - (col + 0.5) * bin_um,
        (row + 0.5) * bin_um,
        float(bin_um),
        square=True,
        shape=(slide, slide),
    )


def _hd_start(length_um: float) -> int:
    """Distance from the slide's edge to the field, in whole 16 µm bins."""
    return int((HD_BINS * 2 - length_um) / 2 // 16) * 16
