"""Space Ranger's reduced images: readable, of this sample, and the right way round (rows 6, 12, 27, 29 and 30)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.errors import Problem
from clearspot.io.image import ImageInfo, probe_image, read_rgb
from clearspot.io.layout import OutsLayout
from clearspot.io.naming import shown_name
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.preflight.collecting import collecting
from clearspot.io.preflight.grid import GridFit
from clearspot.io.preflight.picture import TRANSPOSED, Fit, better, compare, picture_kind
from clearspot.io.preflight.scales import check_reduced_sizes
from clearspot.io.scalefactors import ScaleFactors
from clearspot.record import StepRecord

_LOOK_SIDE: Final = 2000
_MOSTLY: Final = 0.5
_NEARLY_ALL: Final = 0.95
# an image confirms the positions: real sections reach 0.98 and 0.25 (see `picture.better`)
_AGREES: Final = 0.9
_CORRELATES: Final = 0.2


@dataclass(frozen=True)
class Reduced:
    """What the reduced images say.

    Parameters
    ----------
    infos
        Header of each image that is there (``hires``, ``lowres``).
    kind
        What they show, or None.
    outside
        Whether most spots in tissue lie outside them.
    """

    infos: dict[str, ImageInfo]
    kind: str | None
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
    for key in pictures.keys() - shown.keys():
        record.note("warning", f"{layout.images[key].name} is blank: nothing can be compared with it")
    kind = next((kinds[key] for key in shown), None)
    record.metrics |= {"images": ", ".join(layout.images) or None, "image_kind": kind}
    if factors is None:
        return Reduced(infos, kind, outside=False)
    check_reduced_sizes(record, layout, factors, infos)
    if positions is None or grid is None:
        return Reduced(infos, kind, outside=False)
    scaled = {key: scale for key in infos if (scale := {"hires": factors.hires, "lowres": factors.lowres}[key])}
    outside = _check_bounds(record, layout, positions, infos, scaled)
    fits: dict[str, list[Fit]] = {}
    if not outside:
        diameter = factors.spot_diameter_fullres or grid.lattice.col_step_px
        compared = shown.keys() & scaled.keys()
        fits = {
            layout.images[key].name: compare(
                shown[key], positions, scaled[key] * shown[key].shape[1] / infos[key].width, diameter, counts
            )
            for key in sorted(compared)
        }
    check_orientation(record, fits, shown_name(layout.positions[0]))
    check_turn(record, grid, fits, shown_name(layout.positions[0]), may_turn=_may_turn(layout, factors))
    return Reduced(infos, kind, outside)


def check_orientation(record: StepRecord, fits: dict[str, list[Fit]], positions_file: str) -> None:
    """Add a problem if pixel x and y are exchanged, a warning if an image is turned or mirrored otherwise.

    Parameters
    ----------
    record
        Gets messages, problems and the table of all fits.
    fits
        For each image (by name), as :func:`clearspot.io.preflight.picture.compare` returns them.
    positions_file
        Its name, for problems.
    """
    rows = [(name, fit) for name, ways in fits.items() for fit in ways]
    if rows:
        table = record.tables.setdefault("orientation", {"image": [], "way": [], "auc": [], "rho": []})
        for name, fit in rows:
            for column, value in zip(table, (name, fit.symmetry, fit.auc, fit.rho), strict=True):
                table[column].append(value)
    ways = {name: best for name, fits_of_image in fits.items() if (best := better(fits_of_image))}
    if not ways:
        return
    agreed = any((fits_of_image[0].auc or 0) >= _AGREES for name, fits_of_image in fits.items() if name not in ways)
    if not agreed and {best.symmetry for best in ways.values()} == {TRANSPOSED}:
        record.problems.append(
            Problem(
                record.sample,
                positions_file,
                f"spots in tissue that lie on the tissue of {', '.join(ways)} only with pixel x and y exchanged",
                "pxl_row_in_fullres downwards, pxl_col_in_fullres to the right (or an image that is not transposed)",
                "exchange the two pixel columns, or take the files as Space Ranger wrote them",
            )
        )
        return
    for name, best in ways.items():
        record.note(
            "warning",
            f"{name} fits the spots better {best.symmetry} ({_figures(best)}) than as it is "
            f"({_figures(fits[name][0])}): it seems turned or mirrored against the counts",
        )


def check_turn(
    record: StepRecord, grid: GridFit, fits: dict[str, list[Fit]], positions_file: str, *, may_turn: bool
) -> None:
    """Say so if array rows run along pixel x: a turned slide where an image confirms it, else likely a slip.

    Parameters
    ----------
    record
        Gets messages and problems.
    grid
        The fitted grid.
    fits
        Fits of the images to the spots, by name.
    positions_file
        Its name, for problems.
    may_turn
        Whether slides of this kind are imaged in any direction.
    """
    upright = [ways[0] for ways in fits.values()]
    seen = any((fit.auc or 0) >= _AGREES or (fit.rho or 0) >= _CORRELATES for fit in upright)
    exchanged = any(problem.file == positions_file for problem in record.problems)
    if not grid.turned or exchanged:
        return
    if seen or may_turn:
        proof = "as the image confirms" if seen else "which no image confirms"
        record.note("info" if seen else "warning", f"array rows run from left to right in the image, {proof}")
        return
    record.problems.append(
        Problem(
            record.sample,
            positions_file,
            "array rows that run along pixel x: pixel x and y seem to be exchanged, and no image shows otherwise",
            "array rows along pxl_row_in_fullres, array columns along pxl_col_in_fullres",
            "exchange the two pixel columns; if the slide was photographed lying on its side, add "
            "tissue_hires_image.png and tissue_lowres_image.png of the same run, which show it",
        )
    )


def _thinned(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every n-th pixel of a large image (HD: 6,000 a side), which is enough to tell tissue from glass."""
    step = -(-max(picture.shape) // _LOOK_SIDE)
    return picture[::step, ::step]


def _may_turn(layout: OutsLayout, factors: ScaleFactors) -> bool:
    # a CytAssist's microscope image can lie in any direction; Visium v1 is photographed with its fiducials upright
    return layout.assay == "visium_hd" or factors.regist_target_img_scalef is not None


def _check_bounds(
    record: StepRecord,
    layout: OutsLayout,
    positions: pd.DataFrame,
    infos: dict[str, ImageInfo],
    scaled: dict[str, float],
) -> bool:
    """Whether most spots in tissue lie outside the images."""
    tissue = positions[positions[keys.IN_TISSUE]]
    key = next(iter(scaled), None)
    if key is None or tissue.empty:
        return False
    x, y = tissue[PXL_COL].to_numpy() * scaled[key], tissue[PXL_ROW].to_numpy() * scaled[key]
    inside = float(((x >= 0) & (x <= infos[key].width) & (y >= 0) & (y <= infos[key].height)).mean())
    record.metrics["fraction_tissue_in_image"] = inside
    if inside >= _NEARLY_ALL:
        return False
    name, share = layout.images[key].name, f"{1 - inside:.0%} of the spots in tissue"
    if inside < _MOSTLY and record.metrics.get("scale_factors_fit_spots") is False and layout.scalefactors:
        record.problems.append(
            Problem(
                record.sample,
                shown_name(layout.scalefactors),
                f"scale factors that put {share} outside {name}, and a spot diameter that does not fit the pitch",
                "the scale factors of this sample's positions and images",
                "copy scalefactors_json.json from the same Space Ranger run as positions and images",
            )
        )
        return True
    off = ": it was cropped, or is of another sample" if inside < _MOSTLY else ""
    record.note("warning", f"{share} lie outside {name}{off}")
    return inside < _MOSTLY


def _figures(fit: Fit) -> str:
    if fit.auc is not None:
        return f"spots in tissue on stain: AUC {fit.auc:.2f}"
    return f"UMIs with stain: rank correlation {fit.rho:.2f}"
