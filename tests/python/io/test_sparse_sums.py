"""Sums over sparse counts equal those over the dense matrix."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.io import sparse_sums
from clearspot.io.sparse_sums import entries_per_column, row_sums

MATRICES = {
    "empty rows at both ends": [[0, 0], [1, 2], [0, 0], [3, 0], [0, 0]],
    "no empty row": [[1, 0], [0, 2]],
    "all empty": [[0, 0], [0, 0]],
    "beyond int32": [[2**31 - 1, 2**31 - 1]],
}


@pytest.mark.parametrize("dense", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_row_sums_over_several_chunks(dense, chunk, monkeypatch):
    monkeypatch.setattr(sparse_sums, "_CHUNK", chunk)
    sums = row_sums(csr_matrix(np.array(dense, dtype=np.int32)))
    assert sums.dtype == np.int64
    np.testing.assert_array_equal(sums, np.array(dense, dtype=np.int64).sum(1))


@pytest.mark.parametrize("dense", MATRICES.values(), ids=MATRICES)
def test_entries_per_column_over_several_chunks(dense, monkeypatch):
    monkeypatch.setattr(sparse_sums, "_CHUNK", 1)
    entries = entries_per_column(csr_matrix(np.array(dense, dtype=np.int32)))
    np.testing.assert_array_equal(entries, (np.array(dense) > 0).sum(0))
