"""What the check says of every real folder: each warning here was looked at and is true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clearspot.io.positions import read_positions
from clearspot.io.preflight import check_outs
from tests.helpers.outs_factory import make_features, write_h5, write_positions

pytestmark = pytest.mark.real

BLANK_HIRES = "tissue_hires_image.png is blank"
BLANK_LOWRES = "tissue_lowres_image.png is blank"
OUTSIDE = "100% of the spots in tissue lie outside tissue_hires_image.png"

PASSES = {
    ("mouse_cytassist", None): [],
    ("toy_scanpy_v1", None): [BLANK_HIRES],
    ("toy_squidpy_v1_short", None): [BLANK_HIRES],
    ("toy_seurat_v1", None): [BLANK_HIRES, BLANK_LOWRES],
    ("toy_voltron_v1", None): [],
    ("vendor_grid_human", None): ["generic", "set microns_per_pixel"],
    ("toy_sfe_v2/sample01", None): [OUTSIDE],
    ("toy_sfe_v2/sample02", None): [OUTSIDE],
    # its .h5 has 49 genes and its MEX folder 50
    ("toy_visiumio_v1_raw/section1", None): ["the .h5 matrix was used"],
    # the 8 um folder holds positions 16 um apart
    ("toy_seurat_hd", None): ["bin pitch", BLANK_HIRES, BLANK_LOWRES],
}

FAILS = {
    ("toy_scanpy_v2_probe", None): "only raw_probe_bc_matrix.h5",
    ("toy_sfe_v2", None): "2 samples: sample01/outs, sample02/outs",
    ("toy_visiumio_v1_raw", None): "2 samples: section1/outs, section2/outs",
    ("toy_visiumio_v1_raw/section2", None): "no position for 1 of the matrix's 50 barcodes",
    ("toy_visiumio_hd002", 8): "bins of 2 µm",
    ("toy_visiumio_hd002", None): "no counts in tissue",
    # its matrix is of another slide
    ("toy_seurat_hd", 16): "no position for 2053 of the matrix's 2695 barcodes",
}

SPATIAL_ONLY = {
    "biodata_cytassist": ("cytassist_6.5mm", 2310),
    "gradients_v1": ("visium_6.5mm", 1937),
    "spatialshiny_cytassist_11mm": ("cytassist_11mm", 6965),
}


@pytest.mark.parametrize(("folder", "bin_size_um"), PASSES)
def test_real_folder_passes_with_just_these_warnings(shared_data: Path, folder: str, bin_size_um: int | None):
    record = check_outs(shared_data / "outs" / folder, "S1", bin_size_um=bin_size_um)
    assert record.problems == []
    warnings = sorted(message.text for message in record.messages if message.level == "warning")
    expected = PASSES[folder, bin_size_um]
    assert len(warnings) == len(expected)
    assert all(any(words in text for text in warnings) for words in expected)


@pytest.mark.parametrize(("folder", "bin_size_um"), FAILS)
def test_real_folder_is_refused_with_this_message(shared_data: Path, folder: str, bin_size_um: int | None):
    record = check_outs(shared_data / "outs" / folder, "S1", bin_size_um=bin_size_um)
    (problem,) = record.problems
    assert FAILS[folder, bin_size_um] in problem.found


def test_every_real_folder_is_in_one_of_the_lists(shared_data: Path):
    listed = {folder.split("/")[0] for folder, _ in [*PASSES, *FAILS]}
    assert {path.name for path in (shared_data / "outs").iterdir()} == listed


def test_facts_of_the_real_section(shared_data: Path):
    metrics = check_outs(shared_data / "outs" / "mouse_cytassist", "S1").metrics
    assert metrics["umis_in_tissue"] == 3_085_005
    assert (metrics["n_spots"], metrics["n_genes"]) == (2898, 19_465)
    assert metrics["slide_type"] == "cytassist_6.5mm"
    assert metrics["microns_per_pixel"] == pytest.approx(4.67, abs=0.02)
    assert metrics["scale_factors_fit_spots"] is True
    assert metrics["has_mt_genes"] is False


@pytest.mark.parametrize("folder", SPATIAL_ONLY)
def test_spatial_folder_alone_is_refused(shared_data: Path, folder: str):
    (problem,) = check_outs(shared_data / "spatial_only" / folder, "S1").problems
    assert problem.found == "a spatial folder but no count matrix"


@pytest.fixture
def with_counts(shared_data: Path, tmp_path: Path):
    """A real spatial folder with made-up counts beside it."""

    def _with_counts(folder: str) -> tuple[Path, pd.DataFrame]:
        spatial = shared_data / "spatial_only" / folder / "spatial"
        (file,) = spatial.glob("tissue_positions*")
        positions = read_positions(file, "S1")
        (tmp_path / "spatial").mkdir()
        for path in spatial.iterdir():
            (tmp_path / "spatial" / path.name).symlink_to(path)
        barcodes = positions.index[positions["in_tissue"]]
        features = make_features(5)
        counts = np.random.default_rng(0).poisson(3, (len(barcodes), 5)) + 1
        write_h5(tmp_path / "filtered_feature_bc_matrix.h5", counts, barcodes, features)
        return tmp_path, positions

    return _with_counts


@pytest.mark.parametrize("folder", SPATIAL_ONLY)
def test_real_geometry_gives_no_warning_also_where_mirrored_or_negative(with_counts, folder: str):
    record = check_outs(with_counts(folder)[0], "S1")
    assert record.problems == []
    assert [message.text for message in record.messages if message.level == "warning"] == []
    assert (record.metrics["slide_type"], record.metrics["n_spots"]) == SPATIAL_ONLY[folder]


@pytest.mark.parametrize("mirror", [np.fliplr, np.flipud])
@pytest.mark.parametrize("folder", SPATIAL_ONLY)
def test_row_29_mirrored_images_of_real_tissue_are_a_warning(with_counts, folder: str, mirror):
    root, _ = with_counts(folder)
    for path in sorted((root / "spatial").glob("*.png")):
        picture = np.asarray(Image.open(path))
        path.unlink()
        Image.fromarray(np.ascontiguousarray(mirror(picture))).save(path)
    record = check_outs(root, "S1")
    assert record.problems == []
    warnings = [message.text for message in record.messages if "mirrored relative to the counts" in message.text]
    assert len(warnings) == 2
    assert all({np.fliplr: "left to right", np.flipud: "top to bottom"}[mirror] in text for text in warnings)


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("mouse_cytassist", "brightfield"), ("vendor_grid_human", "brightfield"), ("toy_sfe_v2/sample01", "fluorescence")],
)
def test_row_27_real_stain_and_fluorescence_are_told_apart(shared_data: Path, folder: str, kind: str):
    assert check_outs(shared_data / "outs" / folder, "S1").metrics["image_kind"] == kind


@pytest.mark.parametrize("columns", [("array_row", "array_col"), ("pxl_row_in_fullres", "pxl_col_in_fullres")])
@pytest.mark.parametrize("folder", SPATIAL_ONLY)
def test_row_06_exchanged_columns_are_refused_on_real_geometry(with_counts, folder: str, columns: tuple[str, str]):
    root, positions = with_counts(folder)
    first, second = columns
    (file,) = (root / "spatial").glob("tissue_positions*")
    file.unlink()
    exchanged = positions.assign(**{first: positions[second], second: positions[first]})
    exchanged["in_tissue"] = exchanged["in_tissue"].astype(int)
    write_positions(file, exchanged, header=True)
    (problem,) = check_outs(root, "S1").problems
    assert "swapped" in problem.found
    assert problem.file == f"spatial/{file.name}"
