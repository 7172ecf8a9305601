"""Sums over a sparse count matrix that need no second copy of it.

SciPy's and NumPy's own would widen all entries to int64 first.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

_CHUNK: Final = 8 * 1024 * 1024


def add_to_rows(sums: NDArray[np.int64], values: NDArray[Any], indptr: NDArray[Any], start: int) -> None:
    """Add consecutive entries, of which the first is entry ``start`` of the matrix, to the sums of their rows."""
    running = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, dtype=np.int64, out=running[1:])
    bounds = np.clip(indptr.astype(np.int64) - start, 0, len(values))
    sums += np.diff(running[bounds])


def row_sums(counts: csr_matrix) -> NDArray[np.int64]:
    """Sum each row in int64."""
    sums = np.zeros(counts.shape[0], dtype=np.int64)
    for start in range(0, counts.nnz, _CHUNK):
        add_to_rows(sums, counts.data[start : start + _CHUNK], counts.indptr, start)
    return sums


def entries_per_column(counts: csr_matrix) -> NDArray[np.int64]:
    """Count the stored entries of each column."""
    entries = np.zeros(counts.shape[1], dtype=np.int64)
    for start in range(0, counts.nnz, _CHUNK):
        entries += np.bincount(counts.indices[start : start + _CHUNK], minlength=len(entries))
    return entries
