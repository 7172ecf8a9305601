import gzip

import h5py
import numpy as np
import pytest
import scanpy as sc
from scipy import sparse

from clearspot.simulate.genes import make_panel
from clearspot.simulate.tenx import Matrix, Origin, write_h5, write_mex
from clearspot.simulate.variants import add_antibodies

ORIGIN = Origin("lib", "Visium V4 Slide", "spaceranger-2.1.0", "Some Probe Set")


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    panel = add_antibodies(make_panel(rng, 40))
    counts = sparse.csr_array(rng.poisson(0.5, (7, 49)).astype(np.int32))
    return Matrix(counts, np.array([f"ACGT{n}-1" for n in range(7)]), panel.var)


def test_scanpy_reads_the_h5(matrix, tmp_path):
    write_h5(matrix, tmp_path / "m.h5", ORIGIN)
    read = sc.read_10x_h5(tmp_path / "m.h5", gex_only=False)
    np.testing.assert_array_equal(read.X.toarray(), matrix.counts.toarray())
    assert list(read.obs_names) == list(matrix.barcodes)
    assert list(read.var["gene_ids"]) == list(matrix.features["gene_ids"])
    assert list(read.var["feature_types"]) == list(matrix.features["feature_types"])
    assert sc.read_10x_h5(tmp_path / "m.h5").n_vars == 40


def test_h5_has_the_attributes_that_readers_ask_for(matrix, tmp_path):
    write_h5(matrix, tmp_path / "m.h5", ORIGIN)
    with h5py.File(tmp_path / "m.h5") as file:
        assert file.attrs["library_ids"][0] == b"lib"
        assert file.attrs["chemistry_description"] == "Visium V4 Slide"
        assert file.attrs["version"] == 2
        assert list(file["matrix/features/_all_tag_keys"]) == [b"genome", b"read", b"pattern", b"sequence"]
        assert len(file["matrix/features/target_sets/Some Probe Set"]) == 40
        assert tuple(file["matrix/shape"]) == (49, 7)


def test_mex_holds_the_same_matrix(matrix, tmp_path):
    write_mex(matrix, tmp_path / "mex", ORIGIN)
    read = sc.read_10x_mtx(tmp_path / "mex", gex_only=False)
    np.testing.assert_array_equal(read.X.toarray(), matrix.counts.toarray())
    assert list(read.obs_names) == list(matrix.barcodes)
    with gzip.open(tmp_path / "mex" / "matrix.mtx.gz", "rt") as file:
        assert file.readline() == "%%MatrixMarket matrix coordinate integer general\n"
        assert "spaceranger-2.1.0" in file.readline()
        assert file.readline() == f"49 7 {matrix.counts.nnz}\n"


def test_mex_bytes_depend_on_the_content_alone(matrix, tmp_path):
    for name in ("a", "b"):
        write_mex(matrix, tmp_path / name, ORIGIN)
    for part in ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz"):
        assert (tmp_path / "a" / part).read_bytes() == (tmp_path / "b" / part).read_bytes()
