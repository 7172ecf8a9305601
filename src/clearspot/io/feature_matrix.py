"""A feature-barcode matrix in memory, and the checks that every format shares."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.io.reading import bad
from clearspot.io.sparse_sums import row_sums
from clearspot.record import Message

_MAX_COUNT = np.iinfo(np.int32).max


@dataclass(frozen=True)
class BarcodeTotals:
    """Gene expression UMIs of each barcode.

    Parameters
    ----------
    barcodes
        As in the file.
    totals
        int64, one for each barcode.
    """

    barcodes: pd.Index
    totals: NDArray[np.int64]


@dataclass(frozen=True)
class FeatureMatrix:
    """A whole feature-barcode matrix.

    Parameters
    ----------
    counts
        int32 CSR, spots x features, rows sorted, no explicit zeros.
    barcodes
        As in the file, in the order of the rows.
    features
        ``gene_ids``, ``gene_symbols``, ``feature_types`` and ``genome`` (empty where the format does not state it),
        in the order of the columns.
    library_ids
        As stated by the file; MEX states none.
    software_version, chemistry
        As stated by the file, or None.
    messages
        What was odd about the files and how it was handled.
    """

    counts: csr_matrix
    barcodes: pd.Index
    features: pd.DataFrame
    library_ids: tuple[str, ...] = ()
    software_version: str | None = None
    chemistry: str | None = None
    messages: tuple[Message, ...] = ()

    def totals(self) -> BarcodeTotals:
        """Gene expression UMIs of each barcode."""
        genes = (self.features[keys.FEATURE_TYPES] == keys.GENE_EXPRESSION).to_numpy()
        counts = self.counts if genes.all() else self.counts[:, np.flatnonzero(genes)]
        return BarcodeTotals(self.barcodes, row_sums(counts))


def as_counts(values: NDArray[Any], path: Path, sample: str) -> NDArray[np.int32]:
    """Return the values as int32 if they are counts.

    Raises
    ------
    BadInputError
        An entry is not finite, negative, not a whole number, or beyond int32.
    """
    if values.size == 0:
        return values.astype(np.int32)
    if values.dtype.kind not in "iuf":
        raise _not_counts(path, sample, f"entries of type {values.dtype}")
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise _not_counts(path, sample, "entries that are not finite (NaN or infinite)")
        broken = values != np.rint(values)
        if broken.any():
            raise _not_counts(path, sample, f"entries that are not whole numbers, for example {values[broken][0]:.6g}")
    if values.min() < 0:
        raise _not_counts(path, sample, f"negative entries, for example {values.min():.6g}")
    if values.max() > _MAX_COUNT:
        raise _not_counts(path, sample, f"entries too large for a count, for example {values.max():.6g}")
    return values.astype(np.int32, copy=False)


def _not_counts(path: Path, sample: str, found: str) -> Exception:
    return bad(
        path,
        sample,
        found,
        "raw UMI counts: whole numbers from 0",
        "provide the original matrix from Space Ranger, without any normalisation",
    )


def canonical(counts: csr_matrix) -> csr_matrix:
    """Sort each row, add up entries given twice and drop explicit zeros, in place."""
    if not counts.has_canonical_format:
        counts.sum_duplicates()
    if counts.nnz and not counts.data.all():
        counts.eliminate_zeros()
    return counts
