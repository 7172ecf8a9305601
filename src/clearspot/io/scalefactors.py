"""Scale factors between the images of one sample."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clearspot.io.reading import bad, open_binary, reading

_EXPECTED = "scale factors: a JSON object of positive numbers"


@dataclass(frozen=True)
class ScaleFactors:
    """What ``scalefactors_json.json`` says. What it leaves out is None.

    Parameters
    ----------
    raw
        Every number of the file under its own name.
    hires, lowres
        Pixels of that image per full-resolution pixel.
    spot_diameter_fullres, fiducial_diameter_fullres
        In full-resolution pixels. The spot diameter is not that of the 55 um spot: measured against the pitch it
        is 60 to 70 um.
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
    fiducial_diameter_fullres: float | None
    microns_per_pixel: float | None
    bin_size_um: float | None
    regist_target_img_scalef: float | None


def read_scalefactors(path: Path, sample: str) -> ScaleFactors:
    """Read ``scalefactors_json.json``.

    Raises
    ------
    BadInputError
        The file cannot be read, or holds anything but positive finite numbers.
    """
    with reading(path, sample, _EXPECTED), open_binary(path) as file:
        raw = json.load(file)
        if not isinstance(raw, dict) or not raw:
            raise bad(path, sample, "no scale factors", _EXPECTED)
    wrong = {name: value for name, value in raw.items() if not _is_factor(value)}
    if wrong:
        raise bad(path, sample, "; ".join(f"{name} = {value!r}" for name, value in wrong.items())[:200], _EXPECTED)
    factors = {str(name): float(value) for name, value in raw.items()}
    return ScaleFactors(
        raw=factors,
        hires=factors.get("tissue_hires_scalef"),
        lowres=factors.get("tissue_lowres_scalef"),
        spot_diameter_fullres=factors.get("spot_diameter_fullres"),
        fiducial_diameter_fullres=factors.get("fiducial_diameter_fullres"),
        microns_per_pixel=factors.get("microns_per_pixel"),
        bin_size_um=factors.get("bin_size_um"),
        regist_target_img_scalef=factors.get("regist_target_img_scalef"),
    )


def _is_factor(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # compared first: a whole number of hundreds of digits, which JSON allows, has no float
    return number and 0 < value <= sys.float_info.max and math.isfinite(value)
