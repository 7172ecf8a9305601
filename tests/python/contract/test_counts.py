"""Counts are read from every kind of matrix, and refused with how many values are wrong and where."""

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from clearspot.contract.counts import read_counts, require_finite
from clearspot.errors import BadInputError

COUNTS = np.array([[0, 2, 1], [3, 0, 0]])


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float32, np.float64])
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix, sp.csc_matrix, sp.csr_array, np.asfortranarray])
@pytest.mark.parametrize("place", ["X", "layer"])
def test_every_form_of_counts_is_read(form, dtype, place):
    matrix = form(COUNTS.astype(dtype))
    adata = ad.AnnData(matrix) if place == "X" else ad.AnnData(np.full((2, 3), 0.5), layers={"counts": matrix})
    counts = read_counts(adata)
    assert isinstance(counts, sp.csr_matrix)
    assert counts.dtype == dtype
    np.testing.assert_array_equal(counts.toarray(), COUNTS)


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_counts_still_in_the_file_are_read(tmp_path, form):
    ad.AnnData(form(COUNTS.astype(np.float32))).write_h5ad(tmp_path / "a.h5ad")
    adata = ad.read_h5ad(tmp_path / "a.h5ad", backed="r")
    np.testing.assert_array_equal(read_counts(adata).toarray(), COUNTS)


def test_canonical_counts_are_not_copied_and_others_are_left_as_they_are():
    adata = ad.AnnData(layers={"counts": sp.csr_matrix(COUNTS)})
    assert read_counts(adata) is not None
    assert np.shares_memory(read_counts(adata).data, adata.layers["counts"].data)
    repeated = sp.csr_matrix((np.array([1, 1, 0]), np.array([1, 1, 2]), np.array([0, 3, 3])), shape=(2, 3))
    adata = ad.AnnData(layers={"counts": repeated})
    assert read_counts(adata).nnz == 1
    assert adata.layers["counts"].nnz == 3


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize(
    ("value", "what"),
    [(np.nan, "missing or infinite"), (np.inf, "missing or infinite"), (-1, "negative"), (0.5, "not whole")],
)
@pytest.mark.parametrize("place", ["X", "layers['counts']"])
def test_wrong_values_are_counted_and_located(form, value, what, place):
    wrong = COUNTS.astype(float)
    wrong[1, 0] = wrong[1, 2] = value
    adata = ad.AnnData(form(wrong)) if place == "X" else ad.AnnData(layers={"counts": form(wrong)})
    adata.obs_names, adata.var_names = ["s0", "s1"], ["a", "b", "c"]
    with pytest.raises(BadInputError) as refused:
        read_counts(adata, "s1")
    found = refused.value.problems[0].found
    assert f"2 of 4 values other than 0 in {place} that are {what}" in found
    assert "spot s1, gene a" in found


def test_negative_integers_are_refused():
    with pytest.raises(BadInputError, match="negative"):
        read_counts(ad.AnnData(layers={"counts": sp.csr_matrix(-COUNTS)}))


@pytest.mark.parametrize("matrix", [COUNTS.astype(str).astype(object), COUNTS.astype(complex)])
def test_values_that_are_no_numbers_are_refused(matrix):
    with pytest.raises(BadInputError, match="values of type"):
        read_counts(ad.AnnData(layers={"counts": matrix}, shape=(2, 3)))


def test_truth_values_count_as_one():
    assert read_counts(ad.AnnData(layers={"counts": sp.csr_matrix(COUNTS > 0)})).sum() == 3


def test_nothing_to_read_is_refused():
    with pytest.raises(BadInputError, match="neither"):
        read_counts(ad.AnnData(shape=(2, 3)))


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_missing_expression_is_counted(form):
    values = COUNTS.astype(float)
    require_finite(form(values), "X", "s1")
    values[0, 0] = np.nan
    with pytest.raises(BadInputError, match="1 missing or infinite values in X"):
        require_finite(form(values), "X", "s1")
