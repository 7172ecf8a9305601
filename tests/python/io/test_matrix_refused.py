"""What is no matrix of counts is refused in words."""

import h5py
import numpy as np
import pytest

from clearspot.errors import BadInputError
from clearspot.io.matrix import read_matrix
from tests.helpers.outs_factory import make_features, write_h5, write_mex
from tests.helpers.small_matrix import BARCODES, COUNTS, FEATURES, edit


def refused(path, *words):
    with pytest.raises(BadInputError) as caught:
        read_matrix(path, "s")
    text = str(caught.value)
    assert all(word in text for word in words), text


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
    refused(h5, words, "without any normalisation")


@pytest.mark.parametrize(("value", "words"), [(0.5, "not whole numbers"), (-2.0, "negative"), (np.nan, "not finite")])
def test_mex_entries_that_are_no_counts(tmp_path, value, words):
    counts = COUNTS.astype(float)
    counts[0, 1] = value
    write_mex(tmp_path / "m", counts, BARCODES, FEATURES, field="real")
    refused(tmp_path / "m", words)


@pytest.mark.parametrize(
    ("datasets", "words"),
    [
        ({"indices": [0, 1, 4]}, "features that are not in the feature list"),
        ({"indices": [0, 1, -1]}, "features that are not in the feature list"),
        ({"indices": [0, 1]}, "inconsistent shape"),
        ({"indptr": [0, 2, 3]}, "inconsistent shape"),
        ({"indptr": [0, 3, 2, 3]}, "inconsistent shape"),
        ({"indptr": [0, 2, 3, 4]}, "inconsistent shape"),
        ({"indptr": [1, 2, 3, 3]}, "inconsistent shape"),
        ({"shape": [4, 9]}, "inconsistent shape"),
        ({"shape": [9, 3]}, "shape and feature list"),
        ({"shape": [-4, 3]}, "inconsistent shape"),
        ({"barcodes": np.array([b"A"])}, "inconsistent shape"),
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
    refused(h5, "is incomplete")


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
    refused(tmp_path / "m.h5", "without a 10x matrix, which contains X")


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
    refused(mex, name, "truncated")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hello\n", "begins with 'hello'"),
        ("%%MatrixMarket matrix array integer general\n4 3\n", "begins with"),
        ("%%MatrixMarket matrix coordinate integer general\n", "cannot be read"),
        ("%%MatrixMarket matrix coordinate pattern general\n4 3 1\n1 1\n", "kind 'pattern general'"),
        ("%%MatrixMarket matrix coordinate integer symmetric\n4 3 1\n1 1 1\n", "kind 'integer symmetric'"),
        ("%%MatrixMarket matrix coordinate integer general\n3 4 1\n1 1 1\n", "3 x 4, but 4 features and 3 barcodes"),
        (
            "%%MatrixMarket matrix coordinate integer general\n4 3 2\n1 1 1\n",
            "1 entries or more, but 2 in the header",
        ),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n5 1 1\n", "outside the matrix"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 0 1\n", "outside the matrix"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 1 1\n1 2 1\n", "but 1 in the header"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 1\n", "cannot be read"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\nnan 1 1\n", "outside the matrix"),
        ("%%MatrixMarket matrix coordinate integer general\n4 3 1\n1 1 x\n", "cannot be read"),
        (
            "%%MatrixMarket matrix coordinate integer general\n4 3 99999999999999\n1 1 1\n",
            "more than fit in",
        ),
    ],
)
def test_mex_text_that_is_no_count_matrix(mex, text, words):
    (mex / "matrix.mtx.gz").write_text(text)
    refused(mex, words)


@pytest.mark.real
def test_real_probe_matrix_is_refused(shared_data):
    refused(shared_data / "outs" / "toy_scanpy_v2_probe" / "raw_probe_bc_matrix.h5", "a matrix of probes")
