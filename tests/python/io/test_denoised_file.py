"""The file of denoised values of a large section: written once in order, read a few genes at a time."""

from __future__ import annotations

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest

from clearspot.io import denoised_file
from clearspot.io.denoised_file import read_denoised, rounded, write_rows


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A file of 23 spots and 9 genes in chunks of 5 x 4, from blocks that fit to none of them."""
    monkeypatch.setattr(denoised_file, "ROWS_PER_CHUNK", 5)
    monkeypatch.setattr(denoised_file, "GENES_PER_CHUNK", 4)
    values = np.random.default_rng(0).gamma(0.1, size=(23, 9)).astype(np.float32)
    path = tmp_path / "s.denoised.h5ad"
    names = pd.Index([f"spot{n}" for n in range(23)]), pd.Index([f"gene{n}" for n in range(9)])
    ad.AnnData(obs=pd.DataFrame(index=names[0]), var=pd.DataFrame(index=names[1])).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        write_rows(file, values.shape, (values[a:b] for a, b in ((0, 3), (3, 15), (15, 16), (16, 23))))
    return path, values, names


def test_anndata_reads_the_file_whole(written):
    path, values, (spots, genes) = written
    back = ad.read_h5ad(path)
    assert list(back.obs_names) == list(spots)
    assert list(back.var_names) == list(genes)
    assert back.X.dtype == np.float32
    np.testing.assert_allclose(back.X, values, rtol=5e-4)
    assert (values != back.X).any()


def test_some_genes_of_some_spots_in_the_order_asked_for(written):
    path, values, (spots, genes) = written
    order, columns = np.random.default_rng(1).permutation(23)[:11], [8, 0, 5, 1]
    asked = spots[order].append(pd.Index(["elsewhere"]))
    found = read_denoised(path, asked, [*genes[columns], "unknown"])
    np.testing.assert_array_equal(found[:-1, :-1], rounded(values)[np.ix_(order, columns)])
    assert np.isnan(found[-1]).all()
    assert np.isnan(found[:, -1]).all()


@pytest.mark.parametrize("rows", [22, 24])
def test_rows_that_are_missing_or_too_many_are_an_error(tmp_path, rows):
    with h5py.File(tmp_path / "x.h5", "w") as file, pytest.raises(ValueError, match=r"rows|broadcast"):
        write_rows(file, (23, 2), [np.ones((rows, 2), dtype=np.float32)])


def test_rounding_keeps_three_digits_and_what_is_no_number():
    values = np.array([1.0, 3.14159265, 1e-30, 65503.7, 0.0, -2.71828, np.nan, np.inf], dtype=np.float32)
    found = rounded(values)
    np.testing.assert_allclose(found[:6], values[:6], rtol=2**-11)
    assert np.isnan(found[6])
    assert np.isposinf(found[7])
    assert not (found[:6].view(np.uint32) & np.uint32((1 << 13) - 1)).any()
