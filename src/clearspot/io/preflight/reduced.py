"""Space Ranger's reduced images: readable, of this sample, and under its spots (rows 12, 27 and 30)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.errors import Problem
from clearspot.io.collecting import collecting
from clearspot.io.image import ImageInfo, probe_image, read_rgb
from clearspot.io.layout import OutsLayout
from clearspot.io.naming import shown_name
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.preflight.grid import GridFit
from clearspot.io.preflight.picture import Fit, compare, picture_kind
from clearspot.io.preflight.scales import check_reduced_sizes
from clearspot.io.scalefactors import ScaleFactors
from clearspot.record import StepRecord

_LOOK_SIDE: Final = 2000
_MOSTLY: Final = 0.5
_NEARLY_ALL: Final = 0.95


@dataclass(frozen=True)
class Reduced:
    """What the reduced images say.

    Parameters
    ----------
    infos
        Header of each image that is there (``hires``, ``lowres``).
    fits
        By file name, how each fits the spots in all eight ways; without those that cannot be compared.
    outside
        Whether most spots in tissue lie outside them.
    """

    infos: dict[str, ImageInfo]
    fits: dict[str, list[Fit]]
    outside: bool


def check_reduced(
    record: StepRecord,
    layout: OutsLayout,
    factors: ScaleFactors | None,
    positions: pd.DataFrame | None,
    grid: GridFit | None,
    counts: pd.Series | None,
) -> Reduced:
    """Record what the hires and lowres image show, and how they fit the spots.

    What is None could not be read; the images are then checked by themselves.
    """
    pictures: dict[str, NDArray[np.uint8]] = {}
    infos: dict[str, ImageInfo] = {}
    for key in ("hires", "lowres"):
        if key in layout.images:
            with collecting(record):
                infos[key] = probe_image(layout.images[key], record.sample)
                pictures[key] = _thinned(read_rgb(layout.images[key], record.sample))
    kinds = {key: picture_kind(picture) for key, picture in pictures.items()}
    shown = {key: picture for key, picture in pictures.items() if kinds[key] != "blank"}
    for key in [key for key in pictures if key not in shown]:
        record.note("warning", f"{layout.images[key].name} is blank, so nothing can be compared with it.")
    record.metrics |= {
        "images": ", ".join(layout.images) or None,
        "image_kind": next((kinds[key] for key in shown), None),
    }
    if factors is None:
        return Reduced(infos, {}, outside=False)
    check_reduced_sizes(record, layout, factors, infos)
    if positions is None or grid is None:
        return Reduced(infos, {}, outside=False)
    scaled = _scaled(infos, factors)
    outside = check_bounds(record, layout, positions, infos, factors)
    fits = {}
    diameter = factors.spot_diameter_fullres or grid.lattice.col_step_px
    for key in [] if outside else [key for key in scaled if key in shown]:
        scale = scaled[key] * shown[key].shape[1] / infos[key].width
        fits[layout.images[key].name] = compare(shown[key], positions, scale, diameter, counts)
    return Reduced(infos, fits, outside)


def _thinned(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every n-th pixel of a large image (HD: 6,000 a side), which is enough to tell tissue from glass."""
    step = -(-max(picture.shape) // _LOOK_SIDE)
    return picture[::step, ::step]


def _scaled(infos: dict[str, ImageInfo], factors: ScaleFactors) -> dict[str, float]:
    """Pixels of each image per full-resolution pixel."""
    return {key: scale for key in infos if (scale := {"hires": factors.hires, "lowres": factors.lowres}[key])}


def check_bounds(
    record: StepRecord,
    layout: OutsLayout,
    positions: pd.DataFrame,
    infos: dict[str, ImageInfo],
    factors: ScaleFactors,
    places: str = "spots",
) -> bool:
    """Whether most spots (``places``) in tissue lie outside the images."""
    scaled = _scaled(infos, factors)
    tissue = positions[positions[keys.IN_TISSUE]]
    key = next(iter(scaled), None)
    if key is None or tissue.empty:
        return False
    x, y = tissue[PXL_COL].to_numpy() * scaled[key], tissue[PXL_ROW].to_numpy() * scaled[key]
    inside = float(((x >= 0) & (x <= infos[key].width) & (y >= 0) & (y <= infos[key].height)).mean())
    record.metrics["fraction_tissue_in_image"] = inside
    if inside >= _NEARLY_ALL:
        return False
    name, share = layout.images[key].name, f"{1 - inside:.0%} of the {places} in tissue"
    if inside < _MOSTLY and record.metrics.get("scale_factors_fit_spots") is False and layout.scalefactors:
        record.problems.append(
            Problem(
                record.sample,
                shown_name(layout.scalefactors),
                f"scale factors that place {share} outside {name}, and a spot diameter inconsistent with the pitch",
                "the scale factors of this sample",
                "copy scalefactors_json.json from the Space Ranger run of the positions and images",
            )
        )
        return True
    off = "; it was cropped, or is from another sample" if inside < _MOSTLY else ""
    record.note("warning", f"{share} lie outside {name}{off}.")
    return inside < _MOSTLY
