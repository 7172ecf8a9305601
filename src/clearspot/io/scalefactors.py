"""Scale factors between the images of one sample."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clearspot.io.reading import bad, open_binary, reading

_EXPECTED = "scale factors: a JSON object of positive numbers"

_IMAGE_FACTORS: Final = {"hires": "tissue_hires_scalef", "lowres": "tissue_lowres_scalef"}
_USED: Final = ("spot_diameter_fullres", "microns_per_pixel", "bin_size_um", "regist_target_img_scalef")


@dataclass(frozen=True)
class ScaleFactors:
    """What ``scalefactors_json.json`` says. What it leaves out is None.

    Parameters
    ----------
    raw
        Every finite number of the file under its own name, whether clearspot uses it or not.
    hires, lowres
        Pixels of that image per full-resolution pixel.
    spot_diameter_fullres
        In full-resolution pixels. The spot diameter is not that of the 55 µm spot: measured against the pitch it
        is 60 to 70 µm.
    microns_per_pixel
        HD: micrometres per full-resolution pixel.
    bin_size_um
        HD: side of a bin.
    regist_target_img_scalef
        CytAssist: pixels of the registered microscope image per full-resolution pixel.
    """

    raw: dict[str, float]
    hires: float | None
    lowres: float | None
    spot_diameter_fullres: float | None
    microns_per_pixel: float | None
    bin_size_um: float | None
    regist_target_img_scalef: float | None


def read_scalefactors(path: Path, sample: str, images: Collection[str] = tuple(_IMAGE_FACTORS)) -> ScaleFactors:
    """Read ``scalefactors_json.json``.

    Only what clearspot uses is checked: other programs write further keys, or 0 for what their assay lacks (fiducials).

    Parameters
    ----------
    path
        The file.
    sample
        Sample name for messages.
    images
        The reduced images (``hires``, ``lowres``) that exist. The factor of another one is None if it is no factor.

    Raises
    ------
    BadInputError
        The file cannot be read, or a used value is anything but a positive finite number. A missing key or ``null`` is
        no error here.
    """
    with reading(path, sample, _EXPECTED), open_binary(path) as file:
        raw = json.load(file)
        if not isinstance(raw, dict) or not raw:
            raise bad(path, sample, "no scale factors", _EXPECTED)
    used = {name: raw.get(name) for name in (*_USED, *(_IMAGE_FACTORS[image] for image in images))}
    wrong = {name: value for name, value in used.items() if value is not None and not _is_factor(value)}
    if wrong:
        raise bad(path, sample, "; ".join(f"{name} = {value!r}" for name, value in wrong.items())[:200], _EXPECTED)
    factors = {name: float(raw[name]) for name in (*_USED, *_IMAGE_FACTORS.values()) if _is_factor(raw.get(name))}
    return ScaleFactors(
        raw={str(name): float(value) for name, value in raw.items() if _is_number(value)},
        hires=factors.get("tissue_hires_scalef"),
        lowres=factors.get("tissue_lowres_scalef"),
        spot_diameter_fullres=factors.get("spot_diameter_fullres"),
        microns_per_pixel=factors.get("microns_per_pixel"),
        bin_size_um=factors.get("bin_size_um"),
        regist_target_img_scalef=factors.get("regist_target_img_scalef"),
    )


def _is_factor(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_number(value: Any) -> bool:
    # compared first: a whole number of hundreds of digits, which JSON allows, has no float
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max and math.isfinite(value)
