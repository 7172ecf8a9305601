"""Whether images lie under the spots the right way round (rows 6 and 29)."""

from __future__ import annotations

from typing import Final

from clearspot.errors import Problem
from clearspot.io.preflight.grid import GridFit
from clearspot.io.preflight.picture import TRANSPOSED, Fit, better
from clearspot.record import StepRecord

# an image confirms the positions: real sections reach 0.98 and 0.25 (see `picture.better`)
_AGREES: Final = 0.9
_CORRELATES: Final = 0.2
_BEYOND_DOUBT: Final = 0.05


def check_orientation(
    record: StepRecord, grid: GridFit, fits: dict[str, list[Fit]], positions_file: str, *, may_turn: bool
) -> None:
    """Add a problem if pixel x and y are exchanged, a warning if an image is turned or mirrored otherwise.

    Parameters
    ----------
    record
        Gets messages, problems and the table of all fits.
    grid
        The fitted grid.
    fits
        For each image (by name), as :func:`clearspot.io.preflight.picture.compare` returns them.
    positions_file
        Its name, for problems.
    may_turn
        Whether slides of this kind are imaged in any direction: a CytAssist's microscope image is, while Visium v1 is
        photographed with its fiducials upright.
    """
    rows = [(name, fit) for name, ways in fits.items() for fit in ways]
    if rows:
        table = record.tables.setdefault("orientation", {"image": [], "way": [], "auc": [], "rho": []})
        for name, fit in rows:
            for column, value in zip(table, (name, fit.symmetry, fit.auc, fit.rho), strict=True):
                table[column].append(value)
    ways = {name: best for name, fits_of_image in fits.items() if (best := better(fits_of_image))}
    agreed = any((fits_of_image[0].auc or 0) >= _AGREES for name, fits_of_image in fits.items() if name not in ways)
    if ways and not agreed and all(_is_exchanged(fits[name][0], best) for name, best in ways.items()):
        record.problems.append(
            Problem(
                record.sample,
                positions_file,
                f"spots in tissue that match the tissue of {', '.join(ways)} only with pixel x and y swapped",
                "pxl_row_in_fullres pointing down and pxl_col_in_fullres to the right (or an image that is not "
                "transposed)",
                "swap the two pixel columns, or use the original files from Space Ranger",
            )
        )
        return
    for name, best in ways.items():
        record.note(
            "warning",
            f"{name} matches the spots better {best.symmetry} ({_figures(best)}) than as it is "
            f"({_figures(fits[name][0])}). It seems to be rotated or mirrored relative to the counts.",
        )
    if grid.turned:
        _check_turn(record, fits, positions_file, may_turn=may_turn)


def _is_exchanged(upright: Fit, best: Fit) -> bool:
    """Whether the axes are exchanged beyond doubt, which takes more than a warning does."""
    if best.symmetry != TRANSPOSED:
        return False
    return best.auc is None or upright.auc is None or best.auc - upright.auc > _BEYOND_DOUBT


def _check_turn(record: StepRecord, fits: dict[str, list[Fit]], positions_file: str, *, may_turn: bool) -> None:
    """Array rows run along pixel x: a turned slide where an image confirms it, else likely a slip."""
    upright = [ways[0] for ways in fits.values()]
    seen = any((fit.auc or 0) >= _AGREES or (fit.rho or 0) >= _CORRELATES for fit in upright)
    if seen or may_turn:
        proof = "as the image confirms" if seen else "without an image to confirm it"
        record.note("info" if seen else "warning", f"Array rows run from left to right in the image, {proof}.")
        return
    record.problems.append(
        Problem(
            record.sample,
            positions_file,
            "array rows along pixel x: pixel x and y seem to be swapped, and there is no image to check",
            "array rows along pxl_row_in_fullres, array columns along pxl_col_in_fullres",
            "swap the two pixel columns; if the slide was imaged rotated by 90 degrees, add tissue_hires_image.png "
            "and tissue_lowres_image.png of the same run to confirm it",
        )
    )


def _figures(fit: Fit) -> str:
    if fit.auc is not None:
        return f"spots in tissue on stain: AUC {fit.auc:.2f}"
    return f"UMIs with stain: rank correlation {fit.rho:.2f}"
