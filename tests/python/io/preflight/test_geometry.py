"""Rows of the list of bad inputs about positions, the slide and its scale."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clearspot.io.preflight.grid import fit_grid
from tests.helpers.outs_factory import MadeOuts, write_h5, write_positions

ARRAY = ("array_row", "array_col")
PIXELS = ("pxl_row_in_fullres", "pxl_col_in_fullres")


def _exchanged(positions: pd.DataFrame, columns: tuple[str, str], rows: slice = slice(None)) -> pd.DataFrame:
    changed = positions.copy()
    first, second = (positions.columns.get_loc(name) for name in columns)
    changed.iloc[rows, first], changed.iloc[rows, second] = positions.iloc[rows, second], positions.iloc[rows, first]
    return changed


def _rescale(made: MadeOuts, **factors: float) -> None:
    (made.spatial / "scalefactors_json.json").write_text(json.dumps({**made.scalefactors, **factors}))


def test_row_06_exchanged_array_rows_and_columns_are_an_error(outs, refusal, edit_positions):
    made = outs()
    edit_positions(made, _exchanged(made.positions, ARRAY))
    problem = refusal(made.root)
    assert problem.file == "spatial/tissue_positions_list.csv"
    assert "array row and array column are swapped" in problem.found


def test_row_06_exchanged_array_in_hd_is_told_by_the_barcodes(outs, refused, edit_positions):
    made = outs(chemistry="hd")
    edit_positions(made, _exchanged(made.positions, ARRAY))
    assert any("encoded in the barcode" in problem.expected for problem in refused(made.root))


@pytest.mark.parametrize("chemistry", ["v1", "v2", "hd"])
def test_row_06_exchanged_pixels_are_an_error_that_the_image_shows(lopsided, refusal, edit_positions, chemistry):
    made = lopsided(chemistry=chemistry)
    edit_positions(made, _exchanged(made.positions, PIXELS))
    assert "only with pixel x and y swapped" in refusal(made.root).found


def test_row_06_exchanged_pixels_without_an_image_are_an_error_on_visium_v1(outs, refusal, edit_positions):
    made = outs(images=())
    edit_positions(made, _exchanged(made.positions, PIXELS))
    assert "array rows along pixel x" in refusal(made.root).found


def test_row_06_exchanged_pixels_without_an_image_are_a_warning_on_cytassist(outs, warned, edit_positions):
    made = outs(chemistry="v2", images=())
    edit_positions(made, _exchanged(made.positions, PIXELS))
    assert "without an image to confirm it" in warned(made.root)


@pytest.mark.parametrize("columns", [ARRAY, PIXELS])
def test_row_06_exchange_in_some_lines_is_an_error(outs, refusal, edit_positions, columns: tuple[str, str]):
    made = outs()
    edit_positions(made, _exchanged(made.positions, columns, slice(5, 12)))
    problem = refusal(made.root)
    assert "whose position does not match their array row and column" in problem.found
    assert int(problem.found.split()[0]) <= 7


def _redraw(made: MadeOuts, positions: pd.DataFrame, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Move the positions, and the images with them."""
    (file,) = made.spatial.glob("tissue_positions*")
    write_positions(file, positions, header="list" not in file.name)
    for path in made.spatial.glob("*.png"):
        Image.fromarray(np.ascontiguousarray(change(np.asarray(Image.open(path))))).save(path)


def test_row_06_slide_turned_by_90_degrees_is_no_error_where_the_image_shows_it(lopsided, passed):
    made = lopsided(chemistry="v1")
    row, col = (made.positions[name] for name in PIXELS)
    turned = made.positions.assign(pxl_row_in_fullres=made.image_size[0] - col, pxl_col_in_fullres=row)
    _redraw(made, turned, np.rot90)
    record = passed(made.root)
    assert [message.text for message in record.messages if message.level == "warning"] == []
    assert any("Array rows run from left to right" in message.text for message in record.messages)


@pytest.mark.parametrize("chemistry", ["v1", "v2", "hd"])
def test_row_06_mirrored_array_is_normal(lopsided, warned, chemistry: str):
    made = lopsided(chemistry=chemistry)
    mirrored = made.positions.assign(pxl_col_in_fullres=made.image_size[0] - made.positions["pxl_col_in_fullres"])
    _redraw(made, mirrored, np.fliplr)
    assert "matches the spots better" not in warned(made.root)


def test_row_06_spots_on_one_line_are_an_error(outs, refusal, edit_positions):
    made = outs()
    edit_positions(made, made.positions.assign(pxl_row_in_fullres=7.0))
    assert "the same in adjacent array rows" in refusal(made.root).found


def test_row_06_too_few_spots_to_tell_is_a_warning(outs, warned, edit_positions):
    made = outs(raw=False)
    edit_positions(made, made.positions.assign(array_row=0))
    assert "too few spots" in warned(made.root)


@pytest.mark.parametrize("value", ["", "NaN", "far", "inf"])
def test_row_07_no_number_among_coordinates_is_an_error(outs, refusal, edit_positions, value: str):
    made = outs()
    positions = made.positions.astype(object)
    positions.iloc[4, positions.columns.get_loc("pxl_col_in_fullres")] = value
    edit_positions(made, positions)
    problem = refusal(made.root)
    assert problem.file == "spatial/tissue_positions_list.csv"
    assert "line 5" in problem.found


def test_row_07_negative_coordinates_are_handled(outs, passed, edit_positions):
    made = outs(images=())
    moved = made.positions.assign(pxl_col_in_fullres=made.positions["pxl_col_in_fullres"] - 400)
    assert (moved["pxl_col_in_fullres"] < 0).any()
    edit_positions(made, moved)
    assert passed(made.root).metrics["n_spots"] == 100


@pytest.mark.parametrize("key", ["spot_diameter_fullres", "tissue_hires_scalef", "tissue_lowres_scalef"])
def test_row_12_missing_scale_factor_is_an_error(outs, refusal, key: str):
    made = outs()
    del made.scalefactors[key]
    _rescale(made)
    problem = refusal(made.root)
    assert problem.file == "spatial/scalefactors_json.json"
    assert key in problem.found


def test_row_12_missing_file_of_scale_factors_is_an_error(outs, refusal):
    made = outs()
    (made.spatial / "scalefactors_json.json").unlink()
    assert refusal(made.root).file == "spatial/scalefactors_json.json"


def test_row_12_factor_that_does_not_fit_the_images_is_an_error(outs, refusal):
    made = outs()
    _rescale(made, tissue_hires_scalef=0.1)
    problem = refusal(made.root)
    assert problem.file == "spatial/scalefactors_json.json"
    assert "the same full image for both" in problem.expected


def test_row_12_scale_factors_of_another_sample_are_an_error(outs, refusal):
    made = outs()
    _rescale(made, **{name: 3 * value for name, value in made.scalefactors.items()})
    problem = refusal(made.root)
    assert problem.file == "spatial/scalefactors_json.json"
    assert "spot diameter inconsistent with the pitch" in problem.found


def test_row_12_scale_factors_of_another_full_image_are_an_error(outs, refusal, tmp_path: Path):
    made = outs(full_image=True)
    _rescale(made, tissue_hires_scalef=0.25, tissue_lowres_scalef=0.075)
    problem = refusal(made.root, image=tmp_path / "full.tif")
    assert problem.file == "full.tif"
    assert "the full image at another size" in problem.found


def test_row_12_cropped_images_are_a_warning(outs, passed, edit_positions):
    made = outs()
    far = made.positions.assign(pxl_col_in_fullres=made.positions["pxl_col_in_fullres"] + 20_000)
    edit_positions(made, far)
    record = passed(made.root)
    assert any("100% of the spots in tissue lie outside" in message.text for message in record.messages)
    assert record.metrics["superres_possible"] is False


def test_row_17_square_grid_is_handled_as_generic(outs, passed, edit_positions):
    made = outs(images=())
    square = made.positions.assign(
        array_col=made.positions["array_col"] // 2, pxl_row_in_fullres=100.0 * made.positions["array_row"]
    )
    square["pxl_col_in_fullres"] = 100.0 * square["array_col"]
    edit_positions(made, square)
    record = passed(made.root)
    assert record.metrics["slide_type"] == "generic"
    assert any("generic" in message.text for message in record.messages if message.level == "warning")


def test_row_17_slide_larger_than_any_of_10x_is_handled_as_generic(outs, passed, edit_positions):
    made = outs(images=())
    edit_positions(made, made.positions.assign(array_row=made.positions["array_row"] + 130))
    assert passed(made.root).metrics["slide_type"] == "generic"


def test_row_17_hd_larger_than_its_slide_is_a_warning(outs, warned, edit_positions):
    made = outs(chemistry="hd", images=())
    far = made.positions.assign(array_row=made.positions["array_row"] + 900)
    far.index = far.index.str.replace("s_008um", "bin")
    edit_positions(made, far)
    write_h5(
        made.data_dir / "filtered_feature_bc_matrix.h5",
        made.counts[made.in_tissue],
        far.index[made.in_tissue],
        made.features,
    )
    assert "outside the capture area" in warned(made.root)


@pytest.mark.parametrize(("chemistry", "spot_um"), [("v1", 65), ("v2", 70), ("v2", 60)])
def test_row_28_spot_diameters_as_space_ranger_writes_them_are_normal(outs, warned, chemistry: str, spot_um: float):
    made = outs(chemistry=chemistry)
    _rescale(made, spot_diameter_fullres=spot_um / made.microns_per_pixel)
    assert warned(made.root) == ""


def test_row_28_implausible_spot_diameter_is_a_warning_and_the_pitch_wins(outs, passed):
    made = outs()
    _rescale(made, spot_diameter_fullres=90 / made.microns_per_pixel)
    record = passed(made.root)
    (warning,) = [message.text for message in record.messages if message.level == "warning"]
    assert "spot pitch was used" in warning
    assert record.metrics["microns_per_pixel"] == pytest.approx(0.73, rel=1e-3)
    assert record.metrics["scale_factors_fit_spots"] is False


def test_row_28_the_sheet_overrides_both(outs, passed):
    record = passed(outs().root, microns_per_pixel=0.5)
    assert record.metrics["microns_per_pixel"] == 0.5
    assert record.metrics["microns_per_pixel_source"] == "samplesheet"
    assert any("samplesheet was used" in message.text for message in record.messages)


def test_fit_is_not_drawn_by_stray_spots(outs):
    made = outs()
    positions = made.positions.copy()
    positions.iloc[:10, positions.columns.get_loc("pxl_col_in_fullres")] += 10_000
    fit = fit_grid(positions)
    assert fit is not None
    assert (fit.residual > fit.tolerance).sum() == 10
    assert fit.residual[10:].max() < 1
