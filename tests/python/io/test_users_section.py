"""A file that a user hands over is read, or refused with what it is."""

import anndata as ad
import h5py
import numpy as np
import pytest

from clearspot.errors import BadInputError
from clearspot.io.section_file import read_users_section
from tests.helpers.slashes import STAND_IN, write_with_slashes


def section() -> ad.AnnData:
    return ad.AnnData(np.ones((20, 30), dtype=np.float32))


def hdf5(**groups):
    def make(path):
        with h5py.File(path, "w") as file:
            for name, value in groups.items():
                file[name.replace("__", "/")] = value

    return make


def cut_short(share):
    def make(path):
        section().write_h5ad(path)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    return make


def content(data):
    return lambda path: path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (hdf5(matrix__barcodes=[b"A-1"], matrix__data=[1]), "feature-barcode matrix of 10x Genomics"),
        (hdf5(row_attrs__Gene=[b"A"], col_attrs__CellID=[b"c"], matrix=[[1]]), "a Loom file"),
        (hdf5(mod__rna__X=[1], obs=[1], var=[1]), "a MuData file"),
        (hdf5(data=[1]), "an HDF5 file with data at its root"),
        (hdf5(obs=[1], var=[1]), "truncated or damaged"),
        (hdf5(), "an HDF5 file with nothing"),
        (cut_short(0.1), "truncated or damaged"),
        (cut_short(0.5), "truncated or damaged"),
        (cut_short(0.99), "truncated or damaged"),
        (content(b""), "an empty file"),
        (content(b"barcode,x,y\n"), "a file that is not HDF5"),
        (content(b"\x1f\x8b\x08\0"), "a gzip archive"),
        (content(b"PK\x03\x04"), "a zip archive"),
        (lambda path: path.mkdir(), "a folder"),
        (lambda path: (path.mkdir(), (path / ".zgroup").write_text("{}")), "a Zarr store"),
        (lambda path: None, "a file that cannot be read"),
    ],
)
def test_whatever_is_no_anndata_is_refused_with_what_it_is(tmp_path, make, found):
    path = tmp_path / "mine.h5ad"
    make(path)
    with pytest.raises(BadInputError) as refused:
        read_users_section(str(path), "s1")
    problem = refused.value.problems[0]
    assert (problem.sample, problem.file) == ("s1", "mine.h5ad")
    assert found in problem.found


def test_whole_file_is_read(tmp_path):
    section().write_h5ad(tmp_path / "a.h5ad")
    assert read_users_section(tmp_path / "a.h5ad", "s1").shape == (20, 30)


@pytest.mark.parametrize("place", ["obsm", "varm", "obsp", "varp", "layers", "uns"])
def test_keys_with_a_slash_are_read_as_they_were_meant(tmp_path, place):
    adata = section()
    shape = {"obsm": (20, 2), "varm": (30, 2), "obsp": (20, 20), "varp": (30, 30), "layers": (20, 30), "uns": (2,)}[
        place
    ]
    getattr(adata, place)[f"q{STAND_IN}b"] = np.ones(shape)
    getattr(adata, place)["plain"] = np.zeros(shape)
    write_with_slashes(adata, tmp_path / "a.h5ad")
    again = getattr(read_users_section(tmp_path / "a.h5ad", "s1"), place)
    value = again["q"]["b"] if place == "uns" else again["q/b"]
    np.testing.assert_array_equal(value, np.ones(shape))
    np.testing.assert_array_equal(again["plain"], np.zeros(shape))
