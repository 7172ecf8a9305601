"""Sections that ingest refuses, each in one clear error."""

import json

import numpy as np
import pandas as pd
import pytest

from clearspot.errors import BadInputError
from clearspot.io.ingest import ingest_outs
from tests.helpers.outs_factory import make_outs, write_h5, write_positions


def refused(path, *words, **options):
    with pytest.raises(BadInputError) as caught:
        ingest_outs(path, "s", **options)
    text = str(caught.value)
    assert all(word in text for word in words), text


def test_barcodes_without_position(tmp_path):
    made = make_outs(tmp_path / "outs")
    write_positions(
        made.spatial / "tissue_positions_list.csv", made.positions.drop(made.positions.index[20]), header=False
    )
    refused(made.root, "no position for 1 of the matrix's 100 barcodes", made.positions.index[20])


def test_duplicate_barcodes_in_the_positions(tmp_path):
    made = make_outs(tmp_path / "outs")
    twice = pd.concat([made.positions, made.positions.iloc[20:21]])
    write_positions(made.spatial / "tissue_positions_list.csv", twice, header=False)
    refused(made.root, "tissue_positions_list.csv", "1 duplicated barcodes")


def test_duplicate_barcodes_in_the_matrix(tmp_path):
    made = make_outs(tmp_path / "outs")
    barcodes = list(made.positions.index[made.in_tissue])
    barcodes[1] = barcodes[0]
    write_h5(made.root / "filtered_feature_bc_matrix.h5", made.counts[made.in_tissue], barcodes, made.features)
    refused(made.root, "filtered_feature_bc_matrix.h5", "1 duplicated barcodes")


def test_several_libraries(tmp_path):
    refused(make_outs(tmp_path / "outs", library_ids=("one", "two")).root, "2 libraries: one, two")


def test_no_spot_in_tissue(tmp_path):
    made = make_outs(tmp_path / "outs")
    write_positions(made.spatial / "tissue_positions_list.csv", made.positions.assign(in_tissue=0), header=False)
    refused(made.root, "none of the 144 spots is in tissue")


def test_no_counts_in_tissue(tmp_path):
    made = make_outs(tmp_path / "outs")
    empty = np.zeros_like(made.counts[made.in_tissue])
    write_h5(made.root / "filtered_feature_bc_matrix.h5", empty, made.positions.index[made.in_tissue], made.features)
    refused(made.root, "no counts in any of the 100 spots in tissue")


def test_antibodies_alone(tmp_path):
    made = make_outs(tmp_path / "outs")
    features = made.features.assign(feature_type="Antibody Capture")
    write_h5(
        made.root / "filtered_feature_bc_matrix.h5",
        made.counts[made.in_tissue],
        made.positions.index[made.in_tissue],
        features,
    )
    refused(made.root, "only features of type Antibody Capture")


@pytest.mark.parametrize("key", ["spot_diameter_fullres", "tissue_hires_scalef", "tissue_lowres_scalef"])
def test_scale_factor_missing(tmp_path, key):
    made = make_outs(tmp_path / "outs")
    rest = {name: value for name, value in made.scalefactors.items() if name != key}
    (made.spatial / "scalefactors_json.json").write_text(json.dumps(rest))
    refused(made.root, "spatial/scalefactors_json.json", f"no {key}")


def test_no_scale_factors(tmp_path):
    made = make_outs(tmp_path / "outs")
    (made.spatial / "scalefactors_json.json").unlink()
    refused(made.root, "spatial/scalefactors_json.json", "no such file")


def test_bin_folder_under_the_name_of_another_size(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(16,))
    made.bin_dirs[16].rename(made.root / "binned_outputs" / "square_008um")
    refused(made.root, "square_008um/spatial/scalefactors_json.json", "bin_size_um = 16 in the folder of the 8 µm bins")


def test_corrupt_hires_image(tmp_path):
    made = make_outs(tmp_path / "outs")
    path = made.spatial / "tissue_hires_image.png"
    path.write_bytes(path.read_bytes()[:500])
    refused(made.root, "spatial/tissue_hires_image.png", "cannot be read")


def test_corrupt_raw_matrix(tmp_path):
    made = make_outs(tmp_path / "outs", raw=True)
    path = made.root / "raw_feature_bc_matrix.h5"
    path.write_bytes(path.read_bytes()[:3000])
    refused(made.root, "raw_feature_bc_matrix.h5", "cannot be read")


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "options", "words"),
    [
        ("toy_scanpy_v2_probe", {}, "only raw_probe_bc_matrix.h5"),
        ("toy_sfe_v2", {}, "2 samples"),
        ("toy_visiumio_v1_raw", {}, "2 samples"),
        ("toy_visiumio_v1_raw/section2", {}, "no position for 1 of the matrix's 50 barcodes"),
        ("toy_visiumio_hd002", {"bin_size_um": 8}, "bins of 2 µm"),
        ("toy_visiumio_hd002", {"bin_size_um": 2}, "no counts in any of the 10 bins in tissue"),
        ("toy_seurat_hd", {"bin_size_um": 16}, "no position for 2053 of the matrix's 2695 barcodes"),
    ],
)
def test_real_folder_that_is_refused(shared_data, folder, options, words):
    refused(shared_data / "outs" / folder, words, **options)
