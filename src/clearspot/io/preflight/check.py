"""All checks of one sample, in one go."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from clearspot.errors import BadInputError
from clearspot.io.collecting import collecting
from clearspot.io.consistency import require_scalefactors
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.layout import OutsLayout, Unit, find_outs
from clearspot.io.matrix import disagreement, read_barcode_totals, read_matrix
from clearspot.io.metrics_summary import read_metrics_summary
from clearspot.io.naming import shown_name
from clearspot.io.positions import read_agreeing_positions
from clearspot.io.preflight.cells import check_cells
from clearspot.io.preflight.features import check_features
from clearspot.io.preflight.fullres import check_fullres, compare_fullres
from clearspot.io.preflight.grid import check_grid
from clearspot.io.preflight.orientation import check_orientation
from clearspot.io.preflight.reduced import check_reduced
from clearspot.io.preflight.scales import check_scale, check_version
from clearspot.io.preflight.spots import check_spots, too_many_bins
from clearspot.io.preflight.superres import check_superres
from clearspot.record import StepRecord

STEP = "check"


def check_outs(
    path: Path,
    sample: str,
    *,
    image: Path | None = None,
    bin_size_um: int | None = None,
    unit: Unit = "bins",
    microns_per_pixel: float | None = None,
    allow_lowres_image: bool = False,
    unpack_to: Path | None = None,
) -> StepRecord:
    """Check one sample's outs folder and image before anything costly runs on them.

    Checks continue after a problem, so that the user can fix all problems at once.

    Parameters
    ----------
    path
        Outs folder, a folder above it, an HD bin folder, or an archive.
    sample
        Sample name.
    image
        Full-resolution image. Its header is read, and a reduced version of its pixels where that is cheap.
    bin_size_um
        HD: side of the bins; by default as :func:`clearspot.io.bins.choose_bin` chooses.
    unit
        HD: check ``bins``, or the ``cells`` that Space Ranger 4 segmented.
    microns_per_pixel
        Overrides what positions and scale factors say.
    allow_lowres_image
        Take a reduced image in place of the full-resolution one, on purpose.
    unpack_to
        Folder for unpacking archives; by default a temporary one that is gone afterwards.

    Returns
    -------
    StepRecord
        Step ``check``: ``bad_input`` with all problems, or ``ok`` with what the folder holds. Bad data never raise.
    """
    record = StepRecord(
        sample,
        STEP,
        params={
            "outs": Path(path).name,
            "image": image.name if image else None,
            "bin_size_um": bin_size_um,
            "unit": unit,
            "microns_per_pixel": microns_per_pixel,
            "allow_lowres_image": allow_lowres_image,
        },
    )
    with TemporaryDirectory(prefix="clearspot-") as temporary, collecting(record):
        layout = find_outs(path, sample, bin_size_um=bin_size_um, unit=unit, unpack_to=unpack_to or Path(temporary))
        _check_layout(record, layout)
        check = _check_content if layout.cells is None else check_cells
        check(record, layout, image, microns_per_pixel, allow_lowres=allow_lowres_image)
    if record.problems:
        record.status = "bad_input"
    return record


def _check_layout(record: StepRecord, layout: OutsLayout) -> None:
    record.messages += layout.messages
    record.metrics |= {
        "assay": layout.assay,
        "unit": layout.unit,
        "bin_size_um": layout.bin_size_um,
        "bins_available": ", ".join(map(str, layout.bins_available)) or None,
        "matrix": layout.matrix.name,
        "has_raw_matrix": layout.matrix_raw is not None,
        "positions": (layout.cells.outlines if layout.cells else layout.positions[0]).name,
        "has_metrics_summary": layout.metrics_summary is not None,
    }
    if len(layout.positions) > 1:
        names = " and ".join(path.name for path in layout.positions)
        record.note(
            "handled", f"There are several positions files ({names}) with the same content; the first was used."
        )


def _check_content(
    record: StepRecord,
    layout: OutsLayout,
    image: Path | None,
    microns_per_pixel: float | None,
    *,
    allow_lowres: bool,
) -> None:
    sample = record.sample
    if (problem := too_many_bins(layout, sample)) is not None:
        record.problems.append(problem)
        return
    factors = positions = matrix = grid = counts = None
    with collecting(record):
        factors = require_scalefactors(layout, sample)
    with collecting(record):
        positions = read_agreeing_positions(layout.positions, sample)
    with collecting(record):
        matrix = read_matrix(layout.matrix, sample)
    if layout.matrix_raw is not None and layout.matrix_raw != layout.matrix:
        with collecting(record):  # whatever the ingest reads is read here first
            read_barcode_totals(layout.matrix_raw, sample)
    _check_metrics_summary(record, layout)
    if matrix is not None:
        _check_matrix(record, matrix, layout)
    if positions is not None:
        grid = check_grid(record, positions, shown_name(layout.positions[0]), layout.bin_size_um)
        if matrix is not None:
            counts = check_spots(record, matrix, layout.matrix, positions, layout.positions[0])
        if factors is not None:
            check_scale(record, positions, factors, layout.bin_size_um, microns_per_pixel)
    reduced = check_reduced(record, layout, factors, positions, grid, counts)
    full = None
    if image is not None:
        full = check_fullres(record, image, layout, factors, positions, reduced.infos, allow_lowres=allow_lowres)
    if factors is not None and positions is not None and grid is not None:
        fits = reduced.fits
        if full is not None:
            diameter = factors.spot_diameter_fullres or grid.lattice.col_step_px
            fits = fits | compare_fullres(full, positions, diameter, counts)
        may_turn = layout.assay == "visium_hd" or factors.regist_target_img_scalef is not None
        check_orientation(record, grid, fits, shown_name(layout.positions[0]), may_turn=may_turn)
    check_superres(record, full, given=image is not None, is_hd=layout.assay == "visium_hd", outside=reduced.outside)


def _check_metrics_summary(record: StepRecord, layout: OutsLayout) -> None:
    if layout.metrics_summary is None:
        return
    try:
        read_metrics_summary(layout.metrics_summary, record.sample)
    except BadInputError as error:
        record.note("warning", f"metrics_summary.csv was ignored: {error.problems[0].found}.")


def _check_matrix(record: StepRecord, matrix: FeatureMatrix, layout: OutsLayout) -> None:
    check_features(record, matrix, layout.matrix)
    check_version(record, layout.assay == "visium_hd")
    if layout.matrix_alternative is None:
        return
    with collecting(record):
        if difference := disagreement(layout.matrix, layout.matrix_alternative, record.sample):
            record.note("warning", f"{difference}; the .h5 matrix was used.")
