"""Micrometres per pixel and slide type, from the lattice of the spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.caller import by_caller
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.scalefactors import ScaleFactors
from clearspot.record import Message

SlideType = Literal["visium_6.5mm", "cytassist_6.5mm", "cytassist_11mm", "visium_hd", "generic"]

SPOT_PITCH_UM: Final = 100.0
"""Distance between the centres of neighbouring Visium spots."""

SPOT_DIAMETER_UM: Final = 65.0
"""What ``spot_diameter_fullres`` measures on Visium v1, not the spot's nominal 55 µm."""

CAPTURE_DIAMETER_UM: Final = 55.0
"""Nominal diameter of a Visium spot: what it captures."""

PIXELS_PER_BIN: Final = 2
"""Fewest pixels of the image along the side of a fine bin: how fine super-resolution can be on a coarse image."""

SPOT_TO_PITCH: Final = (0.60, 0.65, 0.70)
"""``spot_diameter_fullres`` over pitch as Space Ranger writes it: 11 mm slides, Visium v1, CytAssist 6.5 mm."""

_MAX_DISAGREEMENT: Final = 0.05
_MAX_ANISOTROPY: Final = 0.05


@dataclass(frozen=True)
class Lattice:
    """Affine map from array indices to full-resolution pixels, fitted by least squares.

    A fit to all spots, unlike distances between neighbours, does not need neighbours, and averages out coordinates
    that were rounded to whole pixels.

    Parameters
    ----------
    matrix
        2 x 2: columns are the steps, in pixels (x, y), of one ``array_row`` and of one ``array_col``.
    offset
        Pixel (x, y) of array position (0, 0).
    residual_px
        Root mean square distance between the fit and the positions.
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    residual_px: float

    @property
    def row_step_px(self) -> float:
        """Distance between array rows of the same column index."""
        return float(np.linalg.norm(self.matrix[:, 0]))

    @property
    def col_step_px(self) -> float:
        """Distance between neighbouring column indices of one row."""
        return float(np.linalg.norm(self.matrix[:, 1]))

    def hexagonal_pitch_px(self) -> float | None:
        """Mean distance of a spot's neighbours in a hexagonal lattice; None if this is none.

        The neighbours are two columns apart in one row, or one row and one column apart.
        """
        steps = self.matrix @ np.array([[0.0, 1.0, 1.0], [2.0, 1.0, -1.0]])
        lengths = np.linalg.norm(steps, axis=0)
        return float(lengths.mean()) if np.ptp(lengths) <= _MAX_ANISOTROPY * lengths.mean() else None


@dataclass(frozen=True)
class Scale:
    """Slide type and micrometres per full-resolution pixel of one sample.

    Parameters
    ----------
    slide_type
        ``generic``: the grid is none of 10x's.
    microns_per_pixel
        None if it is unknown.
    source
        ``samplesheet`` (outside the pipeline ``microns_per_pixel``), ``spot pitch``, ``scale factors``, ``bin pitch``
        or ``spot diameter``; None if unknown.
    lattice
        None if the positions do not span a plane.
    messages
        Disagreements and guesses.
    """

    slide_type: SlideType
    microns_per_pixel: float | None
    source: str | None
    lattice: Lattice | None
    messages: tuple[Message, ...]


def fit_lattice(positions: pd.DataFrame) -> Lattice | None:
    """Fit array indices to pixels.

    Parameters
    ----------
    positions
        As :func:`clearspot.io.positions.read_positions` returns them.

    Returns
    -------
    Lattice or None
        None if the positions do not span a plane.
    """
    array = positions[[keys.ARRAY_ROW, keys.ARRAY_COL]].to_numpy(np.float64)
    pixels = positions[[PXL_COL, PXL_ROW]].to_numpy(np.float64)
    if len(array) < 3:
        return None
    array_mean, pixel_mean = array.mean(0), pixels.mean(0)
    solution, _, rank, _ = np.linalg.lstsq(array - array_mean, pixels - pixel_mean, rcond=None)
    if rank < 2:
        return None
    misfit = (array - array_mean) @ solution - (pixels - pixel_mean)
    return Lattice(
        matrix=solution.T,
        offset=pixel_mean - solution.T @ array_mean,
        residual_px=float(np.sqrt((misfit**2).sum(1).mean())),
    )


def slide_type(positions: pd.DataFrame, *, is_hd: bool, is_cytassist: bool) -> SlideType:
    """Tell the slide from the array indices.

    10x's spot lattices are written as 78 x 128 (6.5 mm) or 128 x 224 (11 mm) indices of which row and column have
    the same parity.
    """
    if is_hd:
        return "visium_hd"
    row, column = (positions[name].to_numpy() for name in (keys.ARRAY_ROW, keys.ARRAY_COL))
    if ((row + column) % 2).any() or row.min() < 0 or column.min() < 0 or row.max() > 127 or column.max() > 223:
        return "generic"
    if row.max() > 77 or column.max() > 127:
        return "cytassist_11mm"
    return "cytassist_6.5mm" if is_cytassist else "visium_6.5mm"


def derive_scale(
    positions: pd.DataFrame, factors: ScaleFactors, *, bin_size_um: int | None, override: float | None = None
) -> Scale:
    """Derive µm per pixel.

    The pitch of spots (100 µm) and of bins (their side) is so by construction, and wins over everything but the user's
    word.

    Parameters
    ----------
    positions
        All positions, also those outside tissue.
    factors
        The sample's scale factors.
    bin_size_um
        HD: side of a bin; None for round spots.
    override
        ``microns_per_pixel`` as the user states it.
    """
    kind = slide_type(positions, is_hd=bin_size_um is not None, is_cytassist=bool(factors.regist_target_img_scalef))
    lattice = fit_lattice(positions)
    estimates = _estimates(kind, lattice, factors, bin_size_um)
    messages = []
    if kind == "generic":
        messages.append(
            Message("warning", "The spot grid matches none of the 10x slides; the slide type is set to generic.")
        )
    if override is not None:
        estimates = {by_caller("microns_per_pixel", "microns_per_pixel", "samplesheet"): override, **estimates}
    if not estimates:
        messages.append(Message("warning", "The pixel size cannot be determined: set microns_per_pixel."))
        return Scale(kind, None, None, lattice, tuple(messages))
    (source, value), *others = estimates.items()
    for name, other in others:
        if abs(other / value - 1) > _MAX_DISAGREEMENT:
            text = f"The pixel size is {value:.4g} µm from {source}, but {other:.4g} µm from {name}; {source} was used."
            messages.append(Message("warning", text))
    return Scale(kind, value, source, lattice, tuple(messages))


def _estimates(
    kind: SlideType, lattice: Lattice | None, factors: ScaleFactors, bin_size_um: int | None
) -> dict[str, float]:
    """Every way to tell µm per pixel, the most trustworthy first."""
    found: dict[str, float] = {}
    if kind == "visium_hd":
        if lattice is not None and bin_size_um:
            found["bin pitch"] = 2 * bin_size_um / (lattice.row_step_px + lattice.col_step_px)
        if factors.microns_per_pixel:
            found["scale factors"] = factors.microns_per_pixel
    elif kind == "generic":
        if factors.microns_per_pixel:
            found["scale factors"] = factors.microns_per_pixel
    else:
        pitch = lattice.hexagonal_pitch_px() if lattice is not None else None
        if pitch:
            found["spot pitch"] = SPOT_PITCH_UM / pitch
        if factors.microns_per_pixel:
            found["scale factors"] = factors.microns_per_pixel
        diameter = factors.spot_diameter_fullres
        if diameter:
            share = min(SPOT_TO_PITCH, key=lambda usual: abs(usual - diameter / pitch)) if pitch else None
            found["spot diameter"] = (share * SPOT_PITCH_UM if share else SPOT_DIAMETER_UM) / diameter
    return found
