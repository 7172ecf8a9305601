"""A matrix is read exactly, from every format, or refused in words."""

import gzip
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from outs_factory import gzip_file, make_features, write_h5, write_mex

from clearspot.errors import BadInputError
from clearspot.io import matrix_h5
from clearspot.io.matrix import disagreement, read_barcode_totals, read_matrix

COUNTS = np.array([[0, 2, 0, 1], [3, 0, 0, 0], [0, 0, 0, 0]])
BARCODES = ["AAAC-1", "AAAG-1", "AAAT-1"]
FEATURES = make_features(4)


@pytest.fixture
def h5(tmp_path):
    path = tmp_path / "filtered_feature_bc_matrix.h5"
    write_h5(path, COUNTS, BARCODES, FEATURES)
    return path


@pytest.fixture
def mex(tmp_path):
    write_mex(tmp_path / "filtered_feature_bc_matrix", COUNTS, BARCODES, FEATURES)
    return tmp_path / "filtered_feature_bc_matrix"


def assert_is_the_matrix(matrix, counts=COUNTS):
    assert matrix.counts.dtype == np.int32
    assert matrix.counts.has_canonical_format
    assert matrix.counts.data.all()
    np.testing.assert_array_equal(matrix.counts.toarray(), counts)
    assert list(matrix.barcodes) == BARCODES
    assert list(matrix.features["gene_ids"]) == list(FEATURES["id"])
    assert list(matrix.features["gene_symbols"]) == list(FEATURES["name"])
    assert set(matrix.features["feature_types"]) == {"Gene Expression"}


def refused(path, *words):
    with pytest.raises(BadInputError) as caught:
        read_matrix(path, "s")
    text = str(caught.value)
    assert all(word in text for word in words), text


def edit(path, **datasets):
    """Replace datasets of the matrix group; None removes one."""
    with h5py.File(path, "r+") as h5:
        for name, values in datasets.items():
            del h5[f"matrix/{name}"]
            if values is not None:
                h5[f"matrix/{name}"] = values


# --- what is read -------------------------------------------------------------------------------------------------


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
        "filtered_feature_bc_matrix.h5 holds 4 features x 3 barcodes with 3 entries, "
        "other beside it 4 features x 2 barcodes with 3 entries"
    )


def test_unreadable_other_form_is_described(h5, mex):
    (mex / "barcodes.tsv.gz").unlink()
    assert "cannot be read" in (disagreement(h5, mex, "s") or "")


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.5, 1, 1], "not whole numbers"),
        ([np.nan, 1, 1], "not finite"),
        ([np.inf, 1, 1], "not finite"),
        ([-1, 1, 1], "negative"),
        ([2**40, 1, 1], "too large"),
    ],
)
def test_entries_that_are_no_counts(h5, values, words):
    edit(h5, data=values)
    refused(h5, words, "before any normalisation")


@pytest.mark.parametrize(("value", "words"), [(0.5, "not whole numbers"), (-2.0, "negative"), (np.nan, "not finite")])
def test_mex_entries_that_are_no_counts(tmp_path, value, words):
    counts = COUNTS.astype(float)
    counts[0, 1] = value
    write_mex(tmp_path / "m", counts, BARCODES, FEATURES, field="real")
    refused(tmp_path / "m", words)


@pytest.mark.parametrize(
    ("datasets", "words"),
    [
        ({"indices": [0, 1, 4]}, "features that the matrix does not list"),
        ({"indices": [0, 1, -1]}, "features that the matrix does not list"),
        ({"indices": [0, 1]}, "do not fit together"),
        ({"indptr": [0, 2, 3]}, "do not fit together"),
        ({"indptr": [0, 3, 2, 3]}, "do not fit together"),
        ({"indptr": [0, 2, 3, 4]}, "do not fit together"),
        ({"indptr": [1, 2, 3, 3]}, "do not fit together"),
        ({"shape": [4, 9]}, "do not fit together"),
        ({"shape": [9, 3]}, "list of features"),
        ({"shape": [-4, 3]}, "do not fit together"),
        ({"barcodes": np.array([b"A"])}, "do not fit together"),
        ({"data": None}, "without a 10x matrix"),
        ({"data": np.array([b"a", b"b", b"c"])}, "entries of type"),
        ({"features": None}, "cannot be read"),
    ],
)
def test_parts_that_do_not_fit(h5, datasets, words):
    edit(h5, **datasets)
    refused(h5, words)


def test_data_that_were_never_written(h5):
    edit(h5, data=None)
    with h5py.File(h5, "r+") as file:
        file.create_dataset("matrix/data", shape=(10**12,), dtype=np.int32, chunks=(2**20,))
    refused(h5, "never written in full")


@pytest.mark.parametrize("part", np.linspace(0.05, 0.95, 10))
def test_truncated_h5(h5, part):
    h5.write_bytes(h5.read_bytes()[: int(part * h5.stat().st_size)])
    refused(h5, "cannot be read")


def test_corrupt_chunk_of_h5(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "m.h5"
    write_h5(path, rng.poisson(1, (100, 100)), [f"b{i}" for i in range(100)], make_features(100))
    with h5py.File(path) as h5:
        chunk = h5["matrix/data"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + 20 : chunk.byte_offset + 60] = bytes(40)
    path.write_bytes(content)
    refused(path, "cannot be read")


def test_empty_file(h5):
    h5.write_bytes(b"")
    refused(h5, "an empty file")


def test_text_under_the_name_of_h5(h5):
    h5.write_text("<html>404</html>")
    refused(h5, "cannot be read")


def test_dangling_link(h5):
    h5.unlink()
    h5.symlink_to("gone.h5")
    refused(h5, "a link to gone.h5, which does not exist")


def test_h5_of_something_else(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as h5:
        h5["X"] = [1]
    refused(tmp_path / "m.h5", "without a 10x matrix; it holds X")


def test_probe_matrix(h5):
    with h5py.File(h5, "r+") as file:
        file["matrix/features/filtered_probes"] = np.ones(4, dtype=bool)
    refused(h5, "a matrix of probes", "filtered_feature_bc_matrix.h5")


@pytest.mark.parametrize("name", ["barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz"])
def test_mex_part_missing(mex, name):
    (mex / name).unlink()
    refused(mex, name, "no such file")


@pytest.mark.parametrize("name", ["barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz"])
def test_mex_part_truncated(mex, name):
    (mex / name).write_bytes((mex / name).read_bytes()[:-12])
    refused(mex, name, "cut short")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello\n", "begins with 'hello'"),
        ("%%MatrixMarket matrix array integer general\n4 3\n", "begins with"),
        ("%%MatrixMarket matrix coordinate integer general\n", "cannot be read"),
        ("%%MatrixMarket matrix coordinate pattern general\n4 3 1\n1 1\n", "kind 'pattern general'"),
        ("%%MatrixMarket matrix coordinate integer symmetric\n4 3 1\n1 1 1\n", "kind 'integer symmetric'"),
        ("%%MatrixMarket matrix coordinate integer general\n3 4 1\n1 1 1\n", "3 x 4 beside 4 features, 3 barcodes"),
        (
            "%%MatrixMarket matrix coordinate integer general\n4 3 2\n1 1 1\n",
            "1 entries or more where the header states 2",
        ),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n5 1 1\n", "outside the matrix"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 0 1\n", "outside the matrix"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 1 1\n1 2 1\n", "where the header states 1"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 1\n", "cannot be read"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\nnan 1 1\n", "outside the matrix"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 1 x\n", "cannot be read"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 99999999999999\n1 1 1\n", "has room for"),
    ],
)
def test_mex_text_that_is_no_count_matrix(mex, text, words):
    (mex / "matrix.mtx.gz").write_text(text)
    refused(mex, words)


# --- real files ---------------------------------------------------------------------------------------------------


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
def test_real_probe_matrix_is_refused(shared_data):
    refused(shared_data / "outs" / "toy_scanpy_v2_probe" / "raw_probe_bc_matrix.h5", "a matrix of probes")


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
