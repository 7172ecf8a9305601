"""Whether array indices and pixel positions tell of the same grid (rows 6 and 17)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.errors import Problem
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.scale import Lattice, fit_lattice
from clearspot.record import StepRecord

HD_SIDE_UM: Final = 6_700
"""Visium HD: 3350 bins of 2 µm a side."""

_HD_BARCODE: Final = re.compile(r"s_(\d{3})um_(\d{5})_(\d{5})")
_SWAPPED_RATIO: Final = 1 / np.sqrt(3)
_RATIO_TOLERANCE: Final = 0.05
_MOST_FITTED: Final = 100_000
# Space Ranger rounds positions to whole pixels, and registration bends large slides a little: neither comes near
# half the distance between spots, nor half a percent of the slide.
_MOST_STEPS_OFF: Final = 0.5
_MOST_EXTENT_OFF: Final = 0.005


@dataclass(frozen=True)
class GridFit:
    """Affine map from array indices to pixels, and how far spots lie from it.

    Parameters
    ----------
    lattice
        The map, fitted without stray spots.
    residual
        Distance of each spot from where the map puts it, in pixels.
    tolerance
        Largest residual of a sound grid, in pixels.
    """

    lattice: Lattice
    residual: NDArray[np.float64]
    tolerance: float

    @property
    def turned(self) -> bool:
        """Whether array rows follow each other along pixel x rather than y."""
        along_x, along_y = self.lattice.matrix[:, 0]
        return bool(abs(along_x) > abs(along_y))


def fit_grid(positions: pd.DataFrame) -> GridFit | None:
    """Fit the map, leaving out spots that lie far from it.

    Parameters
    ----------
    positions
        As :func:`clearspot.io.positions.read_positions` returns them.

    Returns
    -------
    GridFit or None
        None where the array indices do not span a plane (fewer than three spots, or all in one row).
    """
    some = positions.iloc[:: max(1, len(positions) // _MOST_FITTED)]
    lattice = fit_lattice(some)
    for _ in range(2):
        if lattice is None:
            return None
        off = _misfit(lattice, some)
        lattice = fit_lattice(some[off <= 3 * np.median(off) + 1])
    if lattice is None:
        return None
    extent = float(np.linalg.norm(np.ptp(positions[[PXL_COL, PXL_ROW]].to_numpy(), axis=0)))
    step = max(lattice.row_step_px, lattice.col_step_px)
    tolerance = max(_MOST_STEPS_OFF * step, _MOST_EXTENT_OFF * extent)
    return GridFit(lattice, _misfit(lattice, positions), tolerance)


def check_grid(record: StepRecord, positions: pd.DataFrame, file: str, bin_size_um: int | None) -> GridFit | None:
    """Record how well the grid holds, and what is wrong with it.

    Parameters
    ----------
    record
        Gets metrics, messages and problems.
    positions
        All spots of the file, inside and outside tissue.
    file
        Its name, for problems.
    bin_size_um
        HD: side of a bin; None for round spots.

    Returns
    -------
    GridFit or None
        None where there is no sound grid to go on with.
    """
    if bin_size_um is not None:
        _check_hd_indices(record, positions, file, bin_size_um)
    fit = fit_grid(positions)
    if fit is None:
        record.note("warning", "There are too few spots to check array indices against pixel positions.")
        return None
    lattice = fit.lattice
    if min(lattice.row_step_px, lattice.col_step_px) < 1e-3:
        record.problems.append(_flat(record.sample, file))
        return None
    record.metrics["grid_residual_px"] = float(np.sqrt(np.mean(fit.residual**2)))
    off = np.flatnonzero(fit.residual > fit.tolerance)
    if len(off):
        record.problems.append(_strays(record.sample, file, positions, fit, off))
        return None
    ratio = lattice.row_step_px / lattice.col_step_px
    offset_rows = not ((positions[keys.ARRAY_ROW] + positions[keys.ARRAY_COL]) % 2).any()
    if bin_size_um is None and offset_rows and abs(ratio / _SWAPPED_RATIO - 1) < _RATIO_TOLERANCE:
        record.problems.append(_swapped_array(record.sample, file, lattice))
        return None
    return fit


def _misfit(lattice: Lattice, positions: pd.DataFrame) -> NDArray[np.float64]:
    array = positions[[keys.ARRAY_ROW, keys.ARRAY_COL]].to_numpy(np.float64)
    pixels = positions[[PXL_COL, PXL_ROW]].to_numpy(np.float64)
    return np.linalg.norm(pixels - array @ lattice.matrix.T - lattice.offset, axis=1)


def _check_hd_indices(record: StepRecord, positions: pd.DataFrame, file: str, bin_size_um: int) -> None:
    """HD barcodes say their own bin size, row and column; and the slide is only so large."""
    spread = positions.iloc[:: max(1, len(positions) // 1000)]
    for barcode, row, col in zip(spread.index, spread[keys.ARRAY_ROW], spread[keys.ARRAY_COL], strict=True):
        match = _HD_BARCODE.search(barcode)
        if match and (int(match[1]), int(match[2]), int(match[3])) != (bin_size_um, row, col):
            record.problems.append(
                Problem(
                    record.sample,
                    file,
                    f"barcode {barcode} at array row {row}, column {col} of the {bin_size_um} µm bins",
                    "the bin size, row and column encoded in the barcode",
                    "use the original matrix and spatial folder of the same bin folder",
                )
            )
            break
    # the last bin may stick out: 419 bins of 16 µm
    side_um = max(positions[keys.ARRAY_ROW].max(), positions[keys.ARRAY_COL].max()) * bin_size_um
    if side_um >= HD_SIDE_UM:
        record.note(
            "warning", f"bins up to {side_um} µm from the corner, outside the capture area of a Visium HD slide"
        )


def _flat(sample: str, file: str) -> Problem:
    return Problem(
        sample,
        file,
        "pixel positions that are the same in adjacent array rows or columns",
        "positions that cover the capture area",
        "copy the positions file again from the Space Ranger output",
    )


def _strays(sample: str, file: str, positions: pd.DataFrame, fit: GridFit, off: NDArray[np.intp]) -> Problem:
    worst = int(fit.residual.argmax())
    return Problem(
        sample,
        file,
        f"{len(off)} of {len(positions)} spots whose position does not match their array row and column; the largest "
        f"difference is {fit.residual[worst]:.0f} pixels ({positions.index[worst]})",
        f"pixel positions within {fit.tolerance:.0f} pixels of a regular grid, with rows and columns not swapped",
        "use the original positions file from Space Ranger: columns array_row, array_col, pxl_row_in_fullres, "
        "pxl_col_in_fullres in this order, with no line changed",
    )


def _swapped_array(sample: str, file: str, lattice: Lattice) -> Problem:
    return Problem(
        sample,
        file,
        f"array rows {lattice.row_step_px:.1f} and array columns {lattice.col_step_px:.1f} pixels apart: array row "
        f"and array column are swapped",
        "array rows sqrt(3) times as far apart as array columns (hexagonal array of Visium slides)",
        "swap the columns array_row and array_col, or use the original file from Space Ranger",
    )
