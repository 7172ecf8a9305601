"""A matrix is read exactly, from every format."""

import gzip
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clearspot.io import matrix_h5
from clearspot.io.matrix import disagreement, read_barcode_totals, read_matrix
from tests.helpers.outs_factory import gzip_file, make_features, write_h5, write_mex
from tests.helpers.small_matrix import BARCODES, COUNTS, FEATURES, edit


def assert_is_the_matrix(matrix, counts=COUNTS):
    assert matrix.counts.dtype == np.int32
    assert matrix.counts.has_canonical_format
    assert matrix.counts.data.all()
    np.testing.assert_array_equal(matrix.counts.toarray(), counts)
    assert list(matrix.barcodes) == BARCODES
    assert list(matrix.features["gene_ids"]) == list(FEATURES["id"])
    assert list(matrix.features["gene_symbols"]) == list(FEATURES["name"])
    assert set(matrix.features["feature_types"]) == {"Gene Expression"}


def test_h5_version_3(h5):
    matrix = read_matrix(h5, "s")
    assert_is_the_matrix(matrix)
    assert matrix.library_ids == ("lib1",)
    assert matrix.software_version == "spaceranger-2.1.0"
    assert matrix.chemistry == "Visium V4 Slide - FFPE v2"
    assert set(matrix.features["genome"]) == {"GRCh38"}


def test_h5_version_2(tmp_path):
    write_h5(tmp_path / "m.h5", COUNTS, BARCODES, FEATURES, version=2)
    matrix = read_matrix(tmp_path / "m.h5", "s")
    assert_is_the_matrix(matrix)
    assert set(matrix.features["genome"]) == {"GRCh38"}


def test_h5_version_2_with_two_genomes(tmp_path):
    path = tmp_path / "m.h5"
    write_h5(path, COUNTS, BARCODES, FEATURES, version=2)
    write_h5(tmp_path / "other.h5", COUNTS, BARCODES, FEATURES.assign(genome="mm10"), version=2)
    with h5py.File(path, "r+") as h5, h5py.File(tmp_path / "other.h5") as other:
        other.copy("mm10", h5)
    matrix = read_matrix(path, "s")
    np.testing.assert_array_equal(matrix.counts.toarray(), np.hstack([COUNTS, COUNTS]))
    assert list(matrix.features["genome"]) == ["GRCh38"] * 4 + ["mm10"] * 4
    np.testing.assert_array_equal(read_barcode_totals(path, "s").totals, 2 * COUNTS.sum(1))


def test_h5_without_attributes_and_tag_keys(tmp_path):
    write_h5(tmp_path / "m.h5", COUNTS, BARCODES, FEATURES, library_ids=None, tag_keys=False)
    matrix = read_matrix(tmp_path / "m.h5", "s")
    assert_is_the_matrix(matrix)
    assert (matrix.library_ids, matrix.software_version, matrix.chemistry) == ((), None, None)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, np.uint32])
def test_h5_whole_numbers_of_any_type(tmp_path, dtype):
    write_h5(tmp_path / "m.h5", COUNTS, BARCODES, FEATURES, data_dtype=dtype)
    assert_is_the_matrix(read_matrix(tmp_path / "m.h5", "s"))


def test_h5_unsorted_repeated_and_zero_entries(h5):
    edit(h5, data=[1, 2, 1, 2, 0], indices=[3, 1, 0, 0, 2], indptr=[0, 2, 5, 5])
    assert_is_the_matrix(read_matrix(h5, "s"))


def test_h5_variable_length_strings(h5):
    edit(h5, barcodes=np.array(BARCODES, dtype=object))
    assert_is_the_matrix(read_matrix(h5, "s"))


def test_h5_names_beyond_ascii(h5):
    edit(h5, **{"features/name": np.array([name.encode() for name in ("β-actin", "a", "b", "c")])})
    assert list(read_matrix(h5, "s").features["gene_symbols"]) == ["β-actin", "a", "b", "c"]


def test_h5_gzipped_as_a_whole(h5):
    assert_is_the_matrix(read_matrix(gzip_file(h5), "s"))


def test_h5_read_in_several_chunks(h5, monkeypatch):
    monkeypatch.setattr(matrix_h5, "_CHUNK", 2)
    assert_is_the_matrix(read_matrix(h5, "s"))
    np.testing.assert_array_equal(read_barcode_totals(h5, "s").totals, [3, 3, 0])


@pytest.mark.parametrize("gzipped", [True, False])
def test_mex(tmp_path, gzipped):
    write_mex(tmp_path / "m", COUNTS, BARCODES, FEATURES, gzipped=gzipped)
    matrix = read_matrix(tmp_path / "m", "s")
    assert_is_the_matrix(matrix)
    assert matrix.software_version == "spaceranger-3.0.0"
    assert matrix.library_ids == ()


def test_mex_with_genes_tsv(tmp_path):
    write_mex(tmp_path / "m", COUNTS, BARCODES, FEATURES, genes_tsv=True)
    assert_is_the_matrix(read_matrix(tmp_path / "m", "s"))


def test_mex_plain_text_under_gz_names_with_quotes(mex):
    for path in mex.iterdir():
        text = gzip.decompress(path.read_bytes()).decode()
        if "tsv" in path.name:
            text = "".join("\t".join(f'"{cell}"' for cell in line.split("\t")) + "\n" for line in text.splitlines())
        path.write_text(text)
    assert_is_the_matrix(read_matrix(mex, "s"))


def test_mex_flattened_under_a_prefix(tmp_path):
    write_mex(tmp_path, COUNTS, BARCODES, FEATURES, prefix="GSM1_")
    write_mex(tmp_path, COUNTS + 1, BARCODES, FEATURES, prefix="GSM2_")
    assert_is_the_matrix(read_matrix(tmp_path / "GSM1_matrix.mtx.gz", "s"))


def test_mex_features_beside_their_gzipped_copy(mex):
    shutil.copy(mex / "features.tsv.gz", mex / "features.tsv")
    assert_is_the_matrix(read_matrix(mex, "s"))


def test_mex_real_field_with_whole_numbers(tmp_path):
    write_mex(tmp_path / "m", COUNTS.astype(float), BARCODES, FEATURES, field="real")
    assert_is_the_matrix(read_matrix(tmp_path / "m", "s"))


def test_mex_entries_in_any_order(mex):
    (mex / "matrix.mtx.gz").write_text(
        "%%MatrixMarket matrix coordinate integer general\n4 3 4\n1 2 2\n4 1 1\n2 1 2\n1 2 1\n"
    )
    assert_is_the_matrix(read_matrix(mex, "s"))


def test_mex_without_entries_of_any_kind(mex):
    (mex / "matrix.mtx.gz").write_text("%%MatrixMarket matrix coordinate pattern symmetric\n4 3 0\n")
    assert_is_the_matrix(read_matrix(mex, "s"), np.zeros_like(COUNTS))


def test_mex_gene_called_na(mex):
    names = FEATURES.assign(name=["NA", "nan", "NULL", ""])
    names[["id", "name"]].to_csv(mex / "features.tsv.gz", sep="\t", header=False, index=False)
    symbols = list(read_matrix(mex, "s").features["gene_symbols"])
    assert symbols == ["NA", "nan", "NULL", FEATURES["id"].iloc[3]]


def test_mex_genome_told_from_the_ids_of_two_genomes(tmp_path):
    ids = ["GRCh38_ENSG00000000001", "GRCh38_ENSG00000000002", "mm10___ENSMUSG00000000001", "mm10___ENSMUSG00000000002"]
    write_mex(tmp_path / "m", COUNTS, BARCODES, FEATURES.assign(id=ids))
    assert list(read_matrix(tmp_path / "m", "s").features["genome"]) == ["GRCh38", "GRCh38", "mm10", "mm10"]


@pytest.mark.parametrize("form", ["h5", "mex"])
def test_totals_leave_antibodies_out(tmp_path, form):
    features = make_features(3, antibodies=1)
    path = tmp_path / ("m.h5" if form == "h5" else "m")
    (write_h5 if form == "h5" else write_mex)(path, COUNTS, BARCODES, features)
    totals = read_barcode_totals(path, "s")
    assert list(totals.barcodes) == BARCODES
    np.testing.assert_array_equal(totals.totals, COUNTS[:, :3].sum(1))


@given(arrays(np.int64, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 3)))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_formats_give_back_any_matrix(tmp_path, counts):
    barcodes = [f"b{i}" for i in range(counts.shape[0])]
    features = make_features(counts.shape[1])
    write_h5(tmp_path / "m.h5", counts, barcodes, features)
    write_mex(tmp_path / "m", counts, barcodes, features)
    for path in (tmp_path / "m.h5", tmp_path / "m"):
        np.testing.assert_array_equal(read_matrix(path, "s").counts.toarray(), counts)
        np.testing.assert_array_equal(read_barcode_totals(path, "s").totals, counts.sum(1))


def test_forms_that_agree(h5, mex):
    assert disagreement(h5, mex, "s") is None


def test_forms_that_differ_are_described(h5, tmp_path):
    write_mex(tmp_path / "other", COUNTS[:2], BARCODES[:2], FEATURES)
    assert disagreement(h5, tmp_path / "other", "s") == (
        "filtered_feature_bc_matrix.h5 has 4 features x 3 barcodes with 3 entries, "
        "but other next to it has 4 features x 2 barcodes with 3 entries"
    )


def test_unreadable_other_form_is_described(h5, mex):
    (mex / "barcodes.tsv.gz").unlink()
    assert "cannot be read" in (disagreement(h5, mex, "s") or "")


# --- real files -------------------------------------------------------------------------------------------------------


@pytest.mark.real
@pytest.mark.parametrize(
    ("path", "shape", "umi"),
    [
        ("mouse_cytassist/filtered_feature_bc_matrix", (2898, 19465), 3_085_005),
        ("vendor_grid_human/filtered_feature_bc_matrix", (2172, 36601), 1_720_934),
        ("toy_scanpy_v1/filtered_feature_bc_matrix.h5", (100, 100), 932),
        ("toy_squidpy_v1_short/filtered_feature_bc_matrix.h5", (100, 100), 932),
        ("toy_seurat_v1/filtered_feature_bc_matrix.h5", (2695, 100), 132_231),
        ("toy_seurat_hd/binned_outputs/square_008um/filtered_feature_bc_matrix.h5", (2695, 100), 132_231),
        ("toy_visiumio_v1_raw/section1/outs/raw_feature_bc_matrix", (50, 50), 682),
        ("toy_visiumio_v1_raw/section1/outs/raw_feature_bc_matrix.h5", (50, 49), 607),
        ("toy_visiumio_v1_raw/section2/outs/raw_feature_bc_matrix", (50, 50), 682),
        ("toy_visiumio_v1_raw/section2/outs/raw_feature_bc_matrix.h5", (50, 49), 419),
        ("toy_visiumio_hd002/binned_outputs/square_002um/filtered_feature_bc_matrix", (10, 10), 0),
        ("toy_visiumio_hd002/binned_outputs/square_002um/filtered_feature_bc_matrix.h5", (10, 10), 0),
        ("toy_sfe_v2/sample01/outs/filtered_feature_bc_matrix", (12, 5), 2951),
        ("toy_sfe_v2/sample02/outs/filtered_feature_bc_matrix", (13, 5), 2762),
        ("toy_voltron_v1/filtered_feature_bc_matrix.h5", (100, 32285), 2_593_849),
    ],
)
def test_real_matrix(shared_data, path, shape, umi):
    matrix = read_matrix(shared_data / "outs" / path, "s")
    assert matrix.counts.shape == shape
    assert int(matrix.counts.sum(dtype=np.int64)) == umi
    assert int(read_barcode_totals(shared_data / "outs" / path, "s").totals.sum()) == umi
    assert matrix.barcodes.is_unique
    assert not matrix.features.isna().any(axis=None)


@pytest.mark.real
def test_real_forms_that_disagree(shared_data):
    outs = shared_data / "outs" / "toy_visiumio_v1_raw" / "section1" / "outs"
    difference = disagreement(outs / "raw_feature_bc_matrix.h5", outs / "raw_feature_bc_matrix", "s")
    assert "49 features x 50 barcodes" in (difference or "")


@pytest.mark.real
def test_real_gzip_names_with_plain_text(shared_data):
    folder = shared_data / "outs/toy_visiumio_hd002/binned_outputs/square_002um/filtered_feature_bc_matrix"
    matrix = read_matrix(folder, "s")
    assert pd.Index(matrix.barcodes).str.fullmatch(r"s_002um_\d{5}_\d{5}-1").all()
