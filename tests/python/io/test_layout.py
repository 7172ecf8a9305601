"""Every nesting, naming and version of an outs folder is found, or refused in words."""

import json
import shutil
import tarfile

import numpy as np
import pytest

from clearspot.caller import called_from
from clearspot.errors import BadInputError
from clearspot.io.layout import find_outs
from tests.helpers.outs_factory import gzip_file, make_outs, write_h5, write_mex


def flatten(made, folder, prefix):
    """Put a Visium outs folder's files into one folder under a prefix, as GEO does."""
    folder.mkdir(exist_ok=True)
    for path in [*made.root.glob("*.h5"), *made.spatial.iterdir()]:
        shutil.copy(path, folder / f"{prefix}{path.name}")
    return folder


def test_outs_folder_itself(tmp_path):
    made = make_outs(tmp_path / "outs", raw=True)
    layout = find_outs(tmp_path / "outs", "s")
    assert (layout.root, layout.assay, layout.bin_size_um, layout.messages) == (made.root, "visium", None, ())
    assert layout.matrix == made.root / "filtered_feature_bc_matrix.h5"
    assert layout.matrix_raw == made.root / "raw_feature_bc_matrix.h5"
    assert layout.positions == (made.spatial / "tissue_positions_list.csv",)
    assert layout.scalefactors == made.spatial / "scalefactors_json.json"
    assert set(layout.images) == {"hires", "lowres"}
    assert layout.metrics_summary == made.root / "metrics_summary.csv"


@pytest.mark.parametrize("nesting", ["outs", "run/outs", "a/b/anything"])
def test_folder_above_outs(tmp_path, nesting):
    made = make_outs(tmp_path / "top" / nesting)
    layout = find_outs(tmp_path / "top", "s")
    assert layout.root == made.root
    assert f"found at {nesting}" in layout.messages[0].text


@pytest.mark.parametrize("form", ["gztar", "zip", "tar"])
def test_archive_of_the_folder_above_outs(tmp_path, form):
    make_outs(tmp_path / "run" / "outs")
    archive = shutil.make_archive(str(tmp_path / "packed"), form, tmp_path, "run")
    layout = find_outs(tmp_path / archive, "s", unpack_to=tmp_path / "to")
    assert layout.matrix.is_file()
    assert layout.matrix.is_relative_to(tmp_path / "to")


def test_archive_without_a_place_to_unpack_is_a_wrong_call(tmp_path):
    archive = shutil.make_archive(str(tmp_path / "packed"), "tar", make_outs(tmp_path / "outs").root)
    with pytest.raises(ValueError, match="unpack_to"):
        find_outs(tmp_path / archive, "s")


def test_flattened_files_with_a_prefix(tmp_path):
    made = make_outs(tmp_path / "outs")
    folder = flatten(made, tmp_path / "geo", "GSM1_x_")
    gzip_file(folder / "GSM1_x_tissue_positions_list.csv")
    layout = find_outs(folder, "s")
    assert layout.matrix.name == "GSM1_x_filtered_feature_bc_matrix.h5"
    assert [path.name for path in layout.positions] == ["GSM1_x_tissue_positions_list.csv.gz"]
    assert layout.images["hires"].name == "GSM1_x_tissue_hires_image.png"
    assert layout.scalefactors is not None


def test_flattened_mex_with_a_prefix(tmp_path):
    made = make_outs(tmp_path / "outs", matrix="none")
    folder = flatten(made, tmp_path / "geo", "GSM1_x_")
    write_mex(folder, made.counts, made.positions.index, made.features, prefix="GSM1_x_")
    assert find_outs(folder, "s").matrix_filtered == folder / "GSM1_x_matrix.mtx.gz"


def test_flattened_raw_mex_is_known_as_raw(tmp_path):
    made = make_outs(tmp_path / "outs", matrix="none")
    folder = flatten(made, tmp_path / "geo", "GSM1_x_")
    write_mex(folder, made.counts, made.positions.index, made.features, prefix="GSM1_x_raw_feature_bc_matrix_")
    layout = find_outs(folder, "s")
    assert (layout.matrix_filtered, layout.matrix_raw) == (None, folder / "GSM1_x_raw_feature_bc_matrix_matrix.mtx.gz")


def test_two_flattened_samples_are_refused_by_name(tmp_path):
    made = make_outs(tmp_path / "outs")
    flatten(made, tmp_path / "geo", "GSM1_a_")
    flatten(made, tmp_path / "geo", "GSM2_b_")
    with pytest.raises(BadInputError, match=r"2 samples: \./GSM1_a\*, \./GSM2_b\*"):
        find_outs(tmp_path / "geo", "s")


def test_two_outs_folders_are_refused_by_name(tmp_path):
    make_outs(tmp_path / "top" / "one" / "outs")
    make_outs(tmp_path / "top" / "two" / "outs")
    with pytest.raises(BadInputError, match="2 samples: one/outs, two/outs"):
        find_outs(tmp_path / "top", "s")


def test_download_page_form_prefixed_h5_beside_packed_spatial(tmp_path):
    made = make_outs(tmp_path / "outs")
    folder = tmp_path / "download"
    folder.mkdir()
    shutil.copy(made.root / "filtered_feature_bc_matrix.h5", folder / "V1_X_filtered_feature_bc_matrix.h5")
    with tarfile.open(folder / "V1_X_spatial.tar.gz", "w:gz") as tar:
        tar.add(made.spatial, "spatial")
    layout = find_outs(folder, "s", unpack_to=tmp_path / "to")
    assert layout.matrix == folder / "V1_X_filtered_feature_bc_matrix.h5"
    assert layout.positions[0].is_relative_to(tmp_path / "to")


def test_packed_hd_bins(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd")
    folder = tmp_path / "download"
    folder.mkdir()
    with tarfile.open(folder / "X_binned_outputs.tar.gz", "w:gz") as tar:
        tar.add(made.root / "binned_outputs", "binned_outputs")
    assert find_outs(folder, "s", unpack_to=tmp_path / "to").bins_available == (8,)


@pytest.mark.parametrize("gzipped", [True, False])
def test_mex_folder_alone(tmp_path, gzipped):
    made = make_outs(tmp_path / "outs", matrix="none")
    write_mex(
        made.root / "filtered_feature_bc_matrix", made.counts, made.positions.index, made.features, gzipped=gzipped
    )
    assert find_outs(made.root, "s").matrix == made.root / "filtered_feature_bc_matrix"


def test_mex_in_a_genome_folder(tmp_path):
    made = make_outs(tmp_path / "outs", matrix="none")
    place = made.root / "filtered_gene_bc_matrices" / "mm10"
    write_mex(place, made.counts, made.positions.index, made.features, gzipped=False, genes_tsv=True)
    assert find_outs(made.root, "s").matrix == place


def test_h5_is_preferred_to_mex(tmp_path):
    made = make_outs(tmp_path / "outs", matrix="both")
    layout = find_outs(made.root, "s")
    assert layout.matrix == made.root / "filtered_feature_bc_matrix.h5"
    assert layout.matrix_alternative == made.root / "filtered_feature_bc_matrix"


def test_raw_matrix_alone(tmp_path):
    made = make_outs(tmp_path / "outs", raw=True, filtered=False)
    layout = find_outs(made.root, "s")
    assert (layout.matrix_filtered, layout.matrix) == (None, made.root / "raw_feature_bc_matrix.h5")
    assert "Only the raw matrix" in layout.messages[0].text


def test_every_positions_file_is_listed(tmp_path):
    made = make_outs(tmp_path / "outs")
    shutil.copy(made.spatial / "tissue_positions_list.csv", made.spatial / "tissue_positions.csv")
    assert len(find_outs(made.root, "s").positions) == 2


def test_hidden_files_are_ignored(tmp_path):
    made = make_outs(tmp_path / "outs")
    (made.root / "._filtered_feature_bc_matrix.h5").write_bytes(b"apple")
    (made.spatial / "._tissue_positions_list.csv").write_bytes(b"apple")
    assert len(find_outs(made.root, "s").positions) == 1


def refused(path, *words, **options):
    with pytest.raises(BadInputError) as caught:
        find_outs(path, "s", **options)
    text = str(caught.value)
    assert all(word in text for word in words), text
    return caught.value


def test_no_such_folder(tmp_path):
    refused(tmp_path / "absent", "no such file or folder", "correct the path")
    with called_from("pipeline"):
        refused(tmp_path / "absent", "no such file or folder", "spaceranger_dir")


def test_dangling_link(tmp_path):
    (tmp_path / "outs").symlink_to(tmp_path / "gone")
    refused(tmp_path / "outs", "a link to", "does not exist")


def test_single_file(tmp_path):
    made = make_outs(tmp_path / "outs")
    refused(made.root / "filtered_feature_bc_matrix.h5", "single file", str(made.root))


def test_no_spatial_folder(tmp_path):
    made = make_outs(tmp_path / "outs")
    shutil.rmtree(made.spatial)
    refused(made.root, "no folder spatial")


def test_no_positions(tmp_path):
    made = make_outs(tmp_path / "outs")
    (made.spatial / "tissue_positions_list.csv").unlink()
    refused(made.root, "no positions file")


def test_no_matrix(tmp_path):
    made = make_outs(tmp_path / "outs", matrix="none")
    refused(made.root, "a spatial folder but no count matrix")


def test_nothing_known(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    refused(tmp_path, "no count matrix", "notes.txt")


def test_probe_matrix_alone(tmp_path):
    made = make_outs(tmp_path / "outs", matrix="none")
    write_h5(made.root / "raw_probe_bc_matrix.h5", made.counts, made.positions.index, made.features)
    refused(made.root, "only raw_probe_bc_matrix.h5", "filtered_feature_bc_matrix.h5")


def test_hd_root_takes_8_um_by_default(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(2, 8, 16))
    layout = find_outs(made.root, "s")
    assert (layout.assay, layout.bin_size_um, layout.bins_available) == ("visium_hd", 8, (2, 8, 16))
    assert layout.spatial_dir == made.bin_dirs[8] / "spatial"


def test_hd_bin_size_asked_for(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(8, 16))
    assert find_outs(made.root, "s", bin_size_um=16).matrix.parent == made.bin_dirs[16]


def test_hd_bin_size_absent(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(4, 8, 32))
    error = refused(made.root, "bins of 4 µm, 8 µm, 32 µm", "bins of 16 µm", bin_size_um=16)
    assert error.problems[0].mend == "set bin_size_um to one of: 4, 8, 32"


def test_hd_without_bins(tmp_path):
    (tmp_path / "outs/binned_outputs/square_8").mkdir(parents=True)
    refused(tmp_path / "outs", "bins of none", "square_XXXum")


@pytest.mark.parametrize(
    ("there", "used"),
    [((2, 8, 16), 8), ((8, 32), 8), ((2, 16, 32), 16), ((32,), 32), ((24, 48), 24), ((2, 4), 4), ((2,), 2)],
)
def test_hd_default_is_8_else_the_next_wider_else_the_widest(tmp_path, there, used):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=there)
    layout = find_outs(made.root, "s")
    assert (layout.bin_size_um, layout.bins_available) == (used, there)
    said = [message.text for message in layout.messages if "no bins of 8 µm" in message.text]
    assert len(said) == (used != 8)
    assert all(f"bins of {used} µm were used" in text for text in said)


@pytest.mark.parametrize("size", [4, 24, 32, 48, 100])
def test_hd_custom_bin_size(tmp_path, size):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(2, 8, size))
    layout = find_outs(made.root, "s", bin_size_um=size)
    assert (layout.bin_size_um, layout.matrix.parent) == (size, made.bin_dirs[size])


def test_hd_bin_folder_as_root(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(8, 16))
    layout = find_outs(made.bin_dirs[16], "s")
    assert (layout.root, layout.bin_size_um, layout.bins_available) == (made.root, 16, (8, 16))
    assert layout.metrics_summary == made.root / "metrics_summary.csv"
    assert "square_016um is a single bin size" in layout.messages[0].text


def test_hd_bin_folder_as_root_with_another_bin_asked_for(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(8, 16))
    layout = find_outs(made.bin_dirs[16], "s", bin_size_um=8)
    assert (layout.bin_size_um, layout.matrix.parent) == (8, made.bin_dirs[8])


def test_hd_binned_outputs_as_root(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd")
    assert find_outs(made.root / "binned_outputs", "s").root == made.root


def test_hd_bin_folder_under_another_name(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd")
    shutil.copytree(made.bin_dirs[8], tmp_path / "my_bins")
    layout = find_outs(tmp_path / "my_bins", "s")
    assert (layout.assay, layout.bin_size_um) == ("visium_hd", 8)


def test_hd_images_of_the_root_fill_in_for_the_bin(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", images=("lowres",))
    (made.root / "spatial").mkdir()
    for name in ("tissue_hires_image.png", "tissue_lowres_image.png", "cytassist_image.tiff"):
        (made.root / "spatial" / name).write_bytes(b"x")
    images = find_outs(made.root, "s").images
    assert images["hires"].parent == images["cytassist"].parent == made.root / "spatial"
    assert images["lowres"].parent == made.spatial


def test_segmented_outputs_are_noted(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd")
    (made.root / "segmented_outputs").mkdir()
    assert any("segmented_outputs" in message.text for message in find_outs(made.root, "s").messages)


def test_bin_size_for_round_spots_is_ignored_with_a_warning(tmp_path):
    made = make_outs(tmp_path / "outs")
    layout = find_outs(made.root, "s", bin_size_um=8)
    assert (layout.assay, [message.level for message in layout.messages]) == ("visium", ["warning"])


def test_broken_scalefactors_do_not_stop_the_search(tmp_path):
    made = make_outs(tmp_path / "outs")
    (made.spatial / "scalefactors_json.json").write_text("{")
    assert find_outs(made.root, "s").assay == "visium"


@pytest.mark.real
@pytest.mark.parametrize("name", ["biodata_cytassist", "gradients_v1", "spatialshiny_cytassist_11mm"])
def test_real_spatial_folder_without_matrix(shared_data, name):
    refused(shared_data / "spatial_only" / name, "a spatial folder but no count matrix")


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("toy_scanpy_v2_probe", "only raw_probe_bc_matrix.h5"),
        ("toy_sfe_v2", "2 samples: sample01/outs, sample02/outs"),
        ("toy_visiumio_v1_raw", "2 samples: section1/outs, section2/outs"),
    ],
)
def test_real_folder_that_is_refused(shared_data, name, words):
    refused(shared_data / "outs" / name, words)


def test_message_names_sample_file_and_mend(tmp_path):
    made = make_outs(tmp_path / "outs", chemistry="hd", bins=(16,))
    (problem,) = refused(made.root, bin_size_um=8).problems
    assert json.loads(json.dumps(problem.as_dict()))["file"] == "binned_outputs"
    assert problem.sample == "s"
    assert problem.mend == "set bin_size_um to one of: 16"
    assert np.all([problem.found, problem.expected])


CELL_FILES = (
    "filtered_feature_cell_matrix.h5",
    "filtered_feature_cell_matrix/matrix.mtx.gz",
    "raw_feature_cell_matrix/matrix.mtx.gz",
)


@pytest.fixture
def segmented(tmp_path):
    """An outs folder of Space Ranger 4 with cells and nothing of the bins."""
    for name in (*CELL_FILES, "spatial/scalefactors_json.json", "cell_segmentations.geojson"):
        path = tmp_path / "run/outs/segmented_outputs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "run/outs/spatial").mkdir()
    return tmp_path / "run/outs"


@pytest.mark.parametrize("given", ["segmented_outputs", ".", ".."])
def test_cells_without_bins_are_named(segmented, given):
    error = refused(segmented / given, "cell segmentation of Space Ranger 4", "binned_outputs")
    assert len(error.problems) == 1


def test_cells_without_bins_are_named_by_what_is_left_of_them(segmented):
    # the pipeline stages the scale factors only, to show that the folder is there
    for name in (*CELL_FILES, "cell_segmentations.geojson"):
        (segmented / "segmented_outputs" / name).unlink()
    refused(segmented, "cell segmentation of Space Ranger 4")


def test_bins_beside_cells_are_used(segmented, tmp_path):
    made = make_outs(tmp_path / "hd", chemistry="hd")
    shutil.copytree(made.root, segmented, dirs_exist_ok=True)
    assert find_outs(segmented, "s").bin_size_um == 8
    assert find_outs(segmented.parent, "s").root == segmented


def test_xenium_is_named(tmp_path):
    (tmp_path / "x/cell_feature_matrix").mkdir(parents=True)
    for name in ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"):
        (tmp_path / "x/cell_feature_matrix" / name).write_bytes(b"x")
    refused(tmp_path / "x", "Xenium", "role 'reference'")
