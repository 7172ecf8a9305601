"""Whether the given image is the full-resolution one that the positions refer to (rows 25 to 27 and 29)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.errors import BadInputError, Problem
from clearspot.io.collecting import collecting
from clearspot.io.image import ImageInfo, probe_image, read_downscaled
from clearspot.io.layout import OutsLayout
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.preflight.picture import Fit, compare, picture_kind
from clearspot.io.preflight.scales import CAMERA_UM_PER_PX, full_size
from clearspot.io.scalefactors import ScaleFactors
from clearspot.record import StepRecord

MOST_PIXELS_LOOKED_AT: Final = 1_000_000_000
"""Pixels beyond which an image without a pyramid is judged by its size alone: reading it takes minutes."""

_MOST_PIXELS_DECODED: Final = 200_000_000
_LOOK_SIDE: Final = 2000
_PILLOW_LIMIT: Final = 179_000_000
_SAME_SHAPE: Final = 0.02
_CYTASSIST_SIZES: Final = {(3000, 3000), (3200, 3000)}


@dataclass(frozen=True)
class FullRes:
    """What the full-resolution image is.

    Parameters
    ----------
    path, info
        The file and its header.
    scale
        Its pixels per pixel of the positions: 1, or less for a smaller image that is taken on purpose. None if it is
        not the image of these positions.
    kind
        What it shows; None where it was not looked at.
    picture
        Reduced version, uint8 RGB; None where it was not looked at.
    """

    path: Path
    info: ImageInfo
    scale: float | None
    kind: str | None
    picture: NDArray[np.uint8] | None


def check_fullres(
    record: StepRecord,
    path: Path,
    layout: OutsLayout,
    factors: ScaleFactors | None,
    positions: pd.DataFrame | None,
    reduced: dict[str, ImageInfo],
    *,
    allow_lowres: bool,
) -> FullRes | None:
    """Record what the image is, and a problem if it is not what it should be; None if it cannot be read.

    Parameters
    ----------
    record
        Gets metrics, messages and problems.
    path
        The image.
    layout, factors, positions
        Of the sample; None where they could not be read.
    reduced
        Headers of ``hires`` and ``lowres``.
    allow_lowres
        Take a smaller image on purpose.
    """
    info = None
    with collecting(record):
        info = probe_image(path, record.sample)
    if info is None:
        return None
    record.metrics |= {
        "image": path.name,
        "image_width": info.width,
        "image_height": info.height,
        "image_channels": info.channels,
        "image_dtype": info.dtype,
    }
    if oddities := _oddities(info):
        record.note("handled", f"{path.name}: {', '.join(oddities)}")
    scale = None if factors is None else _scale(record, path, info, layout, factors, positions, reduced, allow_lowres)
    record.metrics["image_scale"] = scale
    picture = None
    if _worth_looking(info):
        with collecting(record):
            picture = read_downscaled(path, record.sample, _LOOK_SIDE)
    else:
        record.note("info", f"{path.name} is large and has no pyramid, so only its size was checked, not its pixels.")
    kind = None if picture is None else picture_kind(picture)
    return FullRes(path, info, scale, "fluorescence" if info.channels > 4 else kind, picture)


def compare_fullres(
    image: FullRes, positions: pd.DataFrame, diameter: float, counts: pd.Series | None
) -> dict[str, list[Fit]]:
    """Compare the image with the spots in all eight ways, by its name; empty where it cannot be.

    Parameters
    ----------
    image
        The image.
    positions, diameter, counts
        As :func:`clearspot.io.preflight.picture.compare` takes them.
    """
    if image.scale is None or image.picture is None or image.kind == "blank":
        return {}
    reduction = image.picture.shape[1] / image.info.width
    return {image.path.name: compare(image.picture, positions, image.scale * reduction, diameter, counts)}


def _scale(
    record: StepRecord,
    path: Path,
    info: ImageInfo,
    layout: OutsLayout,
    factors: ScaleFactors,
    positions: pd.DataFrame | None,
    reduced: dict[str, ImageInfo],
    allow_lowres: bool,
) -> float | None:
    sizes = {key: full_size(header, factors, key) for key, header in reduced.items()}
    key = next((key for key, size in sizes.items() if size), None)
    expected = sizes[key] if key else None
    if expected is None or key is None:
        return _scale_from_spots(record, path, info, factors, positions, allow_lowres)
    slack = 1 / ({"hires": factors.hires, "lowres": factors.lowres}[key] or 1) + 1
    if abs(info.width - expected[0]) <= slack and abs(info.height - expected[1]) <= slack:
        return _unless_camera(record, path, info, allow_lowres)
    wanted = f"about {expected[0]:.0f} x {expected[1]:.0f} pixels, the image used by Space Ranger"
    reduction = expected[0] / info.width
    same_shape = abs(expected[1] / info.height / reduction - 1) <= _SAME_SHAPE
    guess = _guess(info, layout, reduced, record.sample, reduction if same_shape else None)
    if same_shape and reduction > 1 and allow_lowres:
        record.note(
            "handled",
            f"{path.name} is {guess}, {reduction:.3g} times coarser; it was used as requested (--allow_lowres_image).",
        )
        return 1 / reduction
    if guess is None and abs(info.width - expected[1]) <= slack and abs(info.height - expected[0]) <= slack:
        guess = "the full image rotated by 90 degrees or transposed"
    record.problems.append(
        _wrong_image(record.sample, path, info, guess, wanted, may_allow=same_shape and reduction > 1)
    )
    return None


def _scale_from_spots(
    record: StepRecord,
    path: Path,
    info: ImageInfo,
    factors: ScaleFactors,
    positions: pd.DataFrame | None,
    allow_lowres: bool,
) -> float | None:
    """Without reduced images, the spots alone tell how large the image must be."""
    if positions is None:
        return None
    tissue = positions[positions[keys.IN_TISSUE]]
    far_x, far_y = float(tissue[PXL_COL].quantile(0.99)), float(tissue[PXL_ROW].quantile(0.99))
    if far_x <= info.width and far_y <= info.height:
        return _unless_camera(record, path, info, allow_lowres)
    named = {"the hires image": factors.hires, "the lowres image": factors.lowres}
    guesses = [
        (name, factor)
        for name, factor in named.items()
        if factor and far_x * factor <= info.width and far_y * factor <= info.height
    ]
    name, factor = guesses[0] if guesses else (None, None)
    if name and factor and allow_lowres:
        record.note("handled", f"{path.name} seems to be {name}; it was used as requested (--allow_lowres_image).")
        return factor
    wanted = f"an image of more than {far_x:.0f} x {far_y:.0f} pixels, which covers the spots in tissue"
    record.problems.append(_wrong_image(record.sample, path, info, name, wanted, may_allow=name is not None))
    return None


def _unless_camera(record: StepRecord, path: Path, info: ImageInfo, allow_lowres: bool) -> float | None:
    """1, unless the positions themselves refer to the CytAssist's own picture."""
    um = record.metrics.get("microns_per_pixel_from_pitch") or record.metrics.get("microns_per_pixel")
    if um is None or um < CAMERA_UM_PER_PX:
        return 1.0
    if allow_lowres:
        record.note(
            "handled",
            f"{path.name} has {um:.2g} µm per pixel, like the CytAssist image; it was used as "
            f"requested (--allow_lowres_image).",
        )
        return 1.0
    wanted = f"a microscope image with less than {CAMERA_UM_PER_PX:g} µm per pixel"
    guess = f"the CytAssist image ({um:.2g} µm per pixel)"
    record.problems.append(_wrong_image(record.sample, path, info, guess, wanted, may_allow=True))
    return None


def _guess(
    info: ImageInfo, layout: OutsLayout, reduced: dict[str, ImageInfo], sample: str, reduction: float | None
) -> str | None:
    """What an image of the wrong size seems to be."""
    size = (info.width, info.height)
    for key, header in reduced.items():
        if size == (header.width, header.height):
            return f"the {key} image ({layout.images[key].name})"
    cytassist = set(_CYTASSIST_SIZES)
    with suppress(BadInputError, KeyError):
        header = probe_image(layout.images["cytassist"], sample)
        cytassist = {(header.width, header.height)}
    if size in cytassist:
        return "the CytAssist image"
    if reduction is None:
        return None
    level = round(np.log2(reduction)) if reduction > 1 else 0
    if level > 0 and abs(reduction / 2**level - 1) <= _SAME_SHAPE:
        return f"level {level} of an image pyramid (the full image reduced {2**level} times)"
    return f"the full image at another size ({1 / reduction:.3g} times)"


def _wrong_image(
    sample: str, path: Path, info: ImageInfo, guess: str | None, wanted: str, *, may_allow: bool
) -> Problem:
    seems = f": it seems to be {guess}" if guess else ": the image or the scale factors are not from this sample"
    use_anyway = "; or use this one anyway with --allow_lowres_image" if may_allow else ""
    return Problem(
        sample,
        path.name,
        f"an image of {info.width} x {info.height} pixels{seems}",
        wanted,
        f"provide the image used by Space Ranger (--image){use_anyway}",
    )


def _oddities(info: ImageInfo) -> list[str]:
    """What some readers stumble over, and this one does not."""
    return [
        words
        for words, is_so in {
            f"{info.width * info.height / 1e6:.0f} megapixels, read in parts": info.width * info.height > _PILLOW_LIMIT,
            f"{info.dtype} pixels": info.dtype != "uint8",
            f"{info.channels} channels": info.channels != 3,
            f"axes {info.axes}": info.axes not in ("YXS", "YX"),
            f"a pyramid of {info.n_levels} levels": info.n_levels > 1,
        }.items()
        if is_so
    ]


def _worth_looking(info: ImageInfo) -> bool:
    pixels = info.width * info.height
    return info.n_levels > 1 or pixels <= (MOST_PIXELS_LOOKED_AT if info.is_tiled else _MOST_PIXELS_DECODED)
