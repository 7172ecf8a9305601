"""Reading a feature-barcode matrix, from HDF5 or from Matrix Market files."""

from __future__ import annotations

from pathlib import Path

from clearspot.errors import BadInputError
from clearspot.io.feature_matrix import BarcodeTotals, FeatureMatrix
from clearspot.io.matrix_h5 import h5_size, read_h5, read_h5_totals
from clearspot.io.matrix_mex import mex_size, read_mex

__all__ = ["BarcodeTotals", "FeatureMatrix", "disagreement", "read_barcode_totals", "read_matrix"]


def read_matrix(path: Path, sample: str) -> FeatureMatrix:
    """Read a whole feature-barcode matrix as spots x features.

    The matrix is never dense, and never transposed: what 10x stores as features x barcodes by column is, array for
    array, barcodes x features by row.

    Parameters
    ----------
    path
        10x ``.h5`` (layout of version 2 or 3), MEX folder, or the ``*matrix.mtx`` file of a flattened MEX.
    sample
        Sample name for messages.

    Raises
    ------
    BadInputError
        The file is cut short, corrupt, not a count matrix of features, or its parts do not fit together; or an entry
        is negative, not a whole number, or not finite.
    """
    return read_mex(path, sample) if _is_mex(path) else read_h5(path, sample)


def read_barcode_totals(path: Path, sample: str) -> BarcodeTotals:
    """Sum the gene expression counts of each barcode, without holding the matrix where the format allows it.

    Parameters and errors are those of :func:`read_matrix`.
    """
    return read_mex(path, sample).totals() if _is_mex(path) else read_h5_totals(path, sample)


def disagreement(used: Path, other: Path, sample: str) -> str | None:
    """Say how the two forms of one matrix (``.h5`` and MEX) differ in size; None if they do not.

    The other form is not used, so one that cannot be read is a difference, not an error.
    """
    size = matrix_size(used, sample)
    try:
        other_size = matrix_size(other, sample)
    except BadInputError as error:
        return f"{other.name} next to {used.name} cannot be read ({error.problems[0].found})"
    if size == other_size:
        return None
    words = "{} features x {} barcodes with {} entries"
    return f"{used.name} has {words.format(*size)}, but {other.name} next to it has {words.format(*other_size)}"


def matrix_size(path: Path, sample: str) -> tuple[int, int, int]:
    """Number of features, barcodes and stored entries, without reading them.

    Parameters and errors are those of :func:`read_matrix`.
    """
    return mex_size(path, sample) if _is_mex(path) else h5_size(path, sample)


def _is_mex(path: Path) -> bool:
    return path.is_dir() or path.name.endswith((".mtx", ".mtx.gz"))
