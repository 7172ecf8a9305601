"""The measured counts of an AnnData, validated."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, issparse

from clearspot import keys
from clearspot.contract.sections import bad_section

_ADVICE: Final = "Put the unnormalised counts into layers['counts']."


def read_counts(adata: ad.AnnData, sample: str = "sample") -> csr_matrix:
    """Return ``layers['counts']``, or ``X`` where there is no such layer, as validated counts.

    Parameters
    ----------
    adata
        Counts may be sparse, dense, or still in the file (``backed``).
    sample
        Sample name, for messages.

    Returns
    -------
    CSR, shape ``(n_obs, n_vars)``, in its own type, without explicit zeros or repeated entries. It is the AnnData's own
    matrix where that has this form: do not change it.

    Raises
    ------
    BadInputError
        If there are no counts, or values are missing, negative or not whole: how many, and where the first one is.
    """
    where = f"layers['{keys.COUNTS}']" if keys.COUNTS in adata.layers else "X"
    matrix: Any = adata.layers.get(keys.COUNTS, adata.X)
    if matrix is None:
        raise bad_section(sample, "neither layers['counts'] nor X is set", "counts", _ADVICE)
    counts = _as_csr(matrix, where, sample)
    if not counts.has_canonical_format or (counts.data == 0).any():
        counts = counts.copy()
        counts.sum_duplicates()
        counts.eliminate_zeros()
    values = counts.data
    if values.dtype.kind in "iu" and not (values < 0).any():
        return counts
    for wrong, what in (
        (~np.isfinite(values), "missing or infinite"),
        (values < 0, "negative"),
        (values != np.rint(values), "not whole"),
    ):
        if number := int(np.count_nonzero(wrong)):
            at = int(np.argmax(wrong))
            row = int(np.searchsorted(counts.indptr, at, side="right")) - 1
            place = f"spot {adata.obs_names[row]}, gene {adata.var_names[counts.indices[at]]}: {values[at]:.6g}"
            raise bad_section(
                sample,
                f"{number} of {values.size} values other than 0 in {where} that are {what} (the first: {place})",
                "raw counts: whole numbers from 0",
                _ADVICE,
            )
    return counts


def require_in_memory(adata: ad.AnnData, sample: str) -> None:
    """Refuse an AnnData opened with ``backed`` where a step changes ``X``.

    Raises
    ------
    BadInputError
        With what to call.
    """
    if adata.isbacked:
        raise bad_section(
            sample, "a backed AnnData, whose X is still on disk", "an AnnData in memory", "Use adata.to_memory()."
        )


def require_finite(values: Any, name: str, sample: str) -> None:
    """Refuse a matrix with missing or infinite values.

    Parameters
    ----------
    values
        Sparse or dense.
    name
        Its name in the AnnData.
    sample
        Sample name.

    Raises
    ------
    BadInputError
        With their number.
    """
    data: NDArray[np.generic] = values.data if issparse(values) else np.asarray(values)
    if number := int(np.count_nonzero(~np.isfinite(data))):
        raise bad_section(
            sample,
            f"{number} missing or infinite values in {name}",
            "finite values for every spot and gene",
            f"Recompute {name} from the counts.",
        )


def _as_csr(matrix: Any, where: str, sample: str) -> csr_matrix:
    if hasattr(matrix, "to_memory"):  # sparse, still in the file
        matrix = matrix.to_memory()
    elif not issparse(matrix):  # an array, or one still in the file
        matrix = np.asarray(matrix)
    if matrix.dtype == bool:
        matrix = matrix.astype(np.int8)
    if matrix.dtype.kind not in "iuf":
        raise bad_section(sample, f"values of type {matrix.dtype} in {where}", "counts: whole numbers", _ADVICE)
    return csr_matrix(matrix)
