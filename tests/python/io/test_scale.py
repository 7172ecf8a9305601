"""Micrometres per pixel and slide type come from the lattice of the spots."""

import dataclasses

import numpy as np
import pytest

from clearspot.caller import called_from
from clearspot.io.positions import read_positions
from clearspot.io.scale import derive_scale, fit_lattice, slide_type
from clearspot.io.scalefactors import ScaleFactors, read_scalefactors
from tests.helpers.outs_factory import make_positions, make_scalefactors


def factors(chemistry="v1", um_per_px=0.73, bin_um=None, **changes):
    raw = make_scalefactors(chemistry, um_per_px, bin_um) | changes
    raw = {name: value for name, value in raw.items() if value is not None}
    names = [field.name for field in dataclasses.fields(ScaleFactors) if field.name not in ("raw", "hires", "lowres")]
    values = {name: raw.get(name) for name in names}
    return ScaleFactors(raw=raw, hires=raw["tissue_hires_scalef"], lowres=raw["tissue_lowres_scalef"], **values)


def hexagons(microns_per_pixel=0.73, n_rows=6, n_cols=8):
    return make_positions(n_rows, n_cols, bin_um=None, microns_per_pixel=microns_per_pixel)


def turned(positions, matrix):
    """Map the pixel coordinates (x, y) linearly."""
    xy = positions[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy() @ np.array(matrix, dtype=float).T
    return positions.assign(pxl_col_in_fullres=xy[:, 0], pxl_row_in_fullres=xy[:, 1])


ANGLE = np.deg2rad(33)
ROTATION = [[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]]


@pytest.mark.parametrize("matrix", [[[1, 0], [0, 1]], [[-1, 0], [0, 1]], [[0, 1], [1, 0]], ROTATION])
def test_pitch_gives_the_scale_however_the_slide_lies(matrix):
    scale = derive_scale(turned(hexagons(), matrix), factors(), bin_size_um=None)
    assert scale.microns_per_pixel == pytest.approx(0.73)
    assert (scale.source, scale.messages) == ("spot pitch", ())


def test_lattice_is_the_affine_map():
    positions = hexagons(0.5)
    lattice = fit_lattice(positions)
    assert (lattice.row_step_px, lattice.col_step_px) == pytest.approx((50 * np.sqrt(3) / 0.5, 100))
    mapped = lattice.matrix @ positions[["array_row", "array_col"]].to_numpy().T + lattice.offset[:, None]
    np.testing.assert_allclose(mapped.T, positions[["pxl_col_in_fullres", "pxl_row_in_fullres"]].to_numpy())
    assert lattice.residual_px == pytest.approx(0, abs=1e-9)


def test_scattered_spots_without_neighbours_are_enough():
    positions = hexagons(n_rows=12, n_cols=12).iloc[[0, 30, 77, 140]]
    assert derive_scale(positions, factors(), bin_size_um=None).microns_per_pixel == pytest.approx(0.73)


@pytest.mark.parametrize("rows", [slice(0, 1), slice(0, 2), slice(0, 5)], ids=["one", "two", "in a line"])
def test_positions_that_span_no_plane_leave_the_spot_diameter(rows):
    scale = derive_scale(hexagons().iloc[rows], factors(), bin_size_um=None)
    assert (scale.lattice, scale.source) == (None, "spot diameter")
    assert scale.microns_per_pixel == pytest.approx(0.73)


def test_pitch_wins_over_a_spot_diameter_more_than_5_percent_apart():
    scale = derive_scale(hexagons(), factors(spot_diameter_fullres=55 / 0.73), bin_size_um=None)
    assert scale.microns_per_pixel == pytest.approx(0.73)
    assert [message.level for message in scale.messages] == ["warning"]
    assert "0.73 µm from spot pitch, but 0.7964 µm from spot diameter" in scale.messages[0].text


def test_samplesheet_overrides_with_a_warning_where_it_disagrees():
    with called_from("pipeline"):
        scale = derive_scale(hexagons(), factors(), bin_size_um=None, override=0.5)
    assert (scale.microns_per_pixel, scale.source) == (0.5, "samplesheet")
    assert "0.5 µm from samplesheet, but 0.73 µm from spot pitch" in scale.messages[0].text


def test_samplesheet_that_agrees_is_quiet():
    assert derive_scale(hexagons(), factors(), bin_size_um=None, override=0.74).messages == ()


def test_hd_agrees_with_its_scale_factors():
    positions = make_positions(6, 6, bin_um=8, microns_per_pixel=0.27)
    scale = derive_scale(positions, factors("hd", 0.27, 8), bin_size_um=8)
    assert (scale.slide_type, scale.source, scale.messages) == ("visium_hd", "bin pitch", ())
    assert scale.microns_per_pixel == pytest.approx(0.27)


def test_hd_bin_pitch_wins_over_scale_factors_that_disagree():
    positions = make_positions(6, 6, bin_um=16, microns_per_pixel=0.27)
    scale = derive_scale(positions, factors("hd", 0.27, 8), bin_size_um=8)
    assert scale.microns_per_pixel == pytest.approx(0.135)
    assert ["0.27 µm from scale factors; bin pitch was used" in message.text for message in scale.messages] == [True]


def test_hd_without_stated_scale_takes_the_bin_pitch():
    positions = make_positions(6, 6, bin_um=8, microns_per_pixel=0.27)
    scale = derive_scale(positions, factors("hd", 0.27, 8, microns_per_pixel=None), bin_size_um=8)
    assert (scale.source, scale.microns_per_pixel) == ("bin pitch", pytest.approx(0.27))


def test_square_grid_of_round_spots_is_generic_and_its_scale_unknown():
    positions = make_positions(6, 6, bin_um=100, microns_per_pixel=1)
    scale = derive_scale(positions, factors(), bin_size_um=None)
    assert (scale.slide_type, scale.microns_per_pixel, scale.source) == ("generic", None, None)
    assert [message.level for message in scale.messages] == ["warning", "warning"]


def test_generic_grid_with_the_samplesheets_scale():
    positions = make_positions(6, 6, bin_um=100, microns_per_pixel=1)
    assert derive_scale(positions, factors(), bin_size_um=None, override=1.5).microns_per_pixel == 1.5


@pytest.mark.parametrize(
    ("shift", "cytassist", "kind"),
    [
        ((0, 0), False, "visium_6.5mm"),
        ((0, 0), True, "cytassist_6.5mm"),
        ((78, 0), True, "cytassist_11mm"),
        ((0, 128), True, "cytassist_11mm"),
        ((0, 1), False, "generic"),
        ((0, 224), False, "generic"),
        ((128, 0), False, "generic"),
        ((-2, 0), False, "generic"),
    ],
)
def test_slide_type_from_the_array_indices(shift, cytassist, kind):
    positions = hexagons()
    positions["array_row"] += shift[0]
    positions["array_col"] += shift[1]
    assert slide_type(positions, is_hd=False, is_cytassist=cytassist) == kind


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "kind", "um"),
    [
        ("outs/mouse_cytassist", "cytassist_6.5mm", 4.68),
        ("outs/toy_scanpy_v1", "visium_6.5mm", 0.725),
        ("outs/toy_seurat_v1", "visium_6.5mm", 0.725),
        ("outs/toy_voltron_v1", "visium_6.5mm", 0.725),
        ("outs/vendor_grid_human", "generic", None),
        ("spatial_only/spatialshiny_cytassist_11mm", "cytassist_11mm", 0.274),
        ("spatial_only/biodata_cytassist", "cytassist_6.5mm", 0.273),
        ("spatial_only/gradients_v1", "visium_6.5mm", 1.16),
    ],
)
def test_real_sections(shared_data, folder, kind, um):
    spatial = shared_data / folder / "spatial"
    (path,) = spatial.glob("tissue_positions*.csv")
    scale = derive_scale(
        read_positions(path, "s"), read_scalefactors(spatial / "scalefactors_json.json", "s"), bin_size_um=None
    )
    assert scale.slide_type == kind
    assert scale.microns_per_pixel == (None if um is None else pytest.approx(um, rel=0.005))
    assert scale.lattice.residual_px < 1.1
