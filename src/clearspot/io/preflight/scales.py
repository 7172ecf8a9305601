"""Whether the scale factors fit the spots and the images (rows 11, 12 and 28)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd

from clearspot.errors import Problem
from clearspot.io.image import ImageInfo
from clearspot.io.layout import OutsLayout
from clearspot.io.naming import shown_name
from clearspot.io.scale import SPOT_DIAMETER_UM, SPOT_PITCH_UM, SPOT_TO_PITCH, Scale, derive_scale
from clearspot.io.scalefactors import ScaleFactors
from clearspot.record import StepRecord

CAMERA_UM_PER_PX: Final = 3.0
"""Coarser than any microscope's scan: the camera of the CytAssist takes 4.6 µm a pixel."""

_MAX_DISAGREEMENT: Final = 0.05
_HD_WITHOUT_SHIFT: Final = (3, 1, 2)


def check_scale(
    record: StepRecord, positions: pd.DataFrame, factors: ScaleFactors, bin_size_um: int | None, override: float | None
) -> Scale:
    """Record µm per pixel both ways, and whether they agree.

    Parameters
    ----------
    record
        Gets metrics and messages.
    positions
        All positions of a sound grid.
    factors
        The sample's scale factors.
    bin_size_um
        HD: side of a bin.
    override
        ``microns_per_pixel`` of the samplesheet.
    """
    usual = _has_usual_spots(positions, factors, bin_size_um)
    scale = derive_scale(positions, factors, bin_size_um=bin_size_um, override=override)
    record.messages += scale.messages
    record.metrics |= {
        "slide_type": scale.slide_type,
        "microns_per_pixel": scale.microns_per_pixel,
        "microns_per_pixel_source": scale.source,
        "microns_per_pixel_from_pitch": _from_pitch(scale, bin_size_um),
        "microns_per_pixel_from_scale_factors": factors.microns_per_pixel or _from_diameter(factors, bin_size_um),
        "scale_factors_fit_spots": usual,
    }
    return scale


def check_version(record: StepRecord, is_hd: bool) -> None:
    """Warn of Visium HD data whose image may lie 16 µm beside the counts.

    A change of the CytAssist's firmware shifted them; Space Ranger corrects for it since 3.1.2.
    """
    version = _version(record.metrics.get("software_version"))
    if is_hd and version is not None and version < _HD_WITHOUT_SHIFT:
        record.note(
            "warning",
            f"Visium HD output of Space Ranger {'.'.join(map(str, version))}: before version 3.1.2, the image can be "
            f"shifted "
            f"by 16 µm relative to the counts, depending on the CytAssist firmware. Compare the tissue edges, or use "
            f"a newer Space Ranger.",
        )


def check_reduced_sizes(
    record: StepRecord, layout: OutsLayout, factors: ScaleFactors, infos: dict[str, ImageInfo]
) -> None:
    """Add a problem if hires and lowres image cannot come from one image by the factors that the file states."""
    sizes = {key: full_size(info, factors, key) for key, info in infos.items()}
    hires, lowres = sizes.get("hires"), sizes.get("lowres")
    if hires is None or lowres is None or layout.scalefactors is None:
        return
    # each side was rounded to whole pixels of the reduced image
    slack = 1 / (factors.hires or 1) + 1 / (factors.lowres or 1)
    if max(abs(hires[0] - lowres[0]), abs(hires[1] - lowres[1])) > slack:
        record.problems.append(
            Problem(
                record.sample,
                shown_name(layout.scalefactors),
                f"scale factors that imply a full image of {hires[0]:.0f} x {hires[1]:.0f} pixels (hires) or "
                f"{lowres[0]:.0f} x {lowres[1]:.0f} pixels (lowres)",
                "scale factors that imply the same full image for both",
                "copy scalefactors_json.json and both images from the same Space Ranger run",
            )
        )


def full_size(info: ImageInfo, factors: ScaleFactors, key: str) -> tuple[float, float] | None:
    """Width and height of the full-resolution image that a reduced image came from; None without its factor."""
    factor = {"hires": factors.hires, "lowres": factors.lowres}[key]
    return (info.width / factor, info.height / factor) if factor else None


def _has_usual_spots(positions: pd.DataFrame, factors: ScaleFactors, bin_size_um: int | None) -> bool | None:
    """Whether the spot diameter stands to the pitch as Space Ranger writes it; None if that is unknown."""
    scale = derive_scale(positions, replace(factors, microns_per_pixel=None), bin_size_um=bin_size_um)
    pitch_um = _from_pitch(scale, bin_size_um)
    if pitch_um is None or not factors.spot_diameter_fullres:
        return None
    nominal = (1.0,) if bin_size_um is not None else SPOT_TO_PITCH
    ratio = factors.spot_diameter_fullres * pitch_um / (bin_size_um or SPOT_PITCH_UM)
    return any(abs(ratio / usual - 1) <= _MAX_DISAGREEMENT for usual in nominal)


def _from_pitch(scale: Scale, bin_size_um: int | None) -> float | None:
    if scale.lattice is None or scale.slide_type == "generic":
        return None
    if bin_size_um is not None:
        return 2 * bin_size_um / (scale.lattice.row_step_px + scale.lattice.col_step_px)
    pitch = scale.lattice.hexagonal_pitch_px()
    return SPOT_PITCH_UM / pitch if pitch else None


def _from_diameter(factors: ScaleFactors, bin_size_um: int | None) -> float | None:
    diameter = factors.spot_diameter_fullres
    return (bin_size_um or SPOT_DIAMETER_UM) / diameter if diameter else None


def _version(text: str | None) -> tuple[int, ...] | None:
    """Numbers of ``spaceranger-3.1.1`` or ``3.1.1``."""
    numbers = (text or "").split("-")[-1].split(".")
    return tuple(map(int, numbers)) if all(number.isdecimal() for number in numbers) else None
