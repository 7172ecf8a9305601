"""Count conservation: what a spot measured is what its bins add up to.

The projection is the one that changes the prediction least (in Kullback-Leibler divergence) among all that conserve
the counts. It has the form ``x * exp(A^T l)``, and generalised iterative scaling (Darroch & Ratcliff 1972, Ann. Math.
Stat. 43:1470) finds it by ``x <- x * exp(A^T log(y / A x) / c)``, ``c`` being the largest column sum of A. That
converges whenever some map conserves the counts; spots may share bins. Where they do not, a last exact rescaling of
each spot removes what the iterations left.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

_TINY: Final = 1e-20
_GENES_AT_ONCE: Final = 64


def project(
    x: ArrayLike, counts: Any, A: sparse.sparray, *, n_iter: int = 40, tolerance: float = 2e-5
) -> NDArray[np.float32]:
    """Rescale a prediction so that it conserves the spots' counts.

    Parameters
    ----------
    x
        (n_bins, n_genes): predicted counts per bin, not negative.
    counts
        (n_spots, n_genes), sparse or dense: what each spot measured.
    A
        Capture operator, n_spots x n_bins.
    n_iter
        Most iterations. The error falls by a factor of 3 to 10 in each where spots do not overlap.
    tolerance
        Relative error at which iterations end.

    Returns
    -------
    float32, (n_bins, n_genes), a new array. ``A @ result`` is the counts to 1e-4 relative wherever that is possible
    (:func:`conservation_error` reports it); nowhere negative; a gene without counts is 0 everywhere. Bins outside all
    spots keep their prediction up to one factor a gene, which makes the predicted total under the spots the measured
    one. Where nothing was predicted inside a spot that has counts, they are spread evenly.

    Raises
    ------
    ValueError
        If shapes disagree or a prediction is negative or not finite.
    """
    predicted = np.asarray(x, dtype=np.float32)
    if predicted.ndim != 2 or A.shape[1] != predicted.shape[0] or counts.shape != (A.shape[0], predicted.shape[1]):
        raise ValueError(f"shapes do not match: x {predicted.shape}, counts {counts.shape}, A {A.shape}")
    if not (np.isfinite(predicted).all() and (predicted >= 0).all()):
        raise ValueError("a prediction is negative or not finite")
    reached = np.flatnonzero(np.diff(sparse.csr_array(A).indptr))
    touched = np.flatnonzero(np.diff(sparse.csc_array(A).indptr))
    operator = sparse.csr_array(sparse.csr_array(A)[reached][:, touched], dtype=np.float32)
    measured = _rows(counts, reached)
    result = np.empty(predicted.shape, dtype=np.float32)
    # Genes are independent of each other; blocks only bound the memory.
    for first in range(0, predicted.shape[1], _GENES_AT_ONCE):
        genes = slice(first, first + _GENES_AT_ONCE)
        block = measured[:, genes]
        y = np.asarray(block.toarray() if sparse.issparse(block) else block, dtype=np.float32)
        inside = predicted[touched, genes]
        total, expected = y.sum(axis=0, dtype=np.float64), (operator @ inside).sum(axis=0, dtype=np.float64)
        scale = np.divide(total, expected, out=(total > 0).astype(float), where=expected > _TINY).astype(np.float32)
        result[:, genes] = predicted[:, genes] * scale
        if len(touched):
            result[touched, genes] = _scaled(inside * scale, y, operator, n_iter, tolerance)
    return result


def conservation_error(x: ArrayLike, counts: Any, A: sparse.sparray) -> float:
    """Largest ``|A x - y| / max(y, 1)`` over genes and over spots that reach the grid."""
    operator = sparse.csr_array(A)
    reached = np.flatnonzero(np.diff(operator.indptr))
    measured = _rows(counts, reached)
    dense = np.asarray(measured.toarray() if sparse.issparse(measured) else measured, dtype=np.float64)
    found = operator[reached].astype(np.float64) @ np.asarray(x, dtype=np.float64)
    return float((np.abs(found - dense) / np.maximum(dense, 1)).max(initial=0))


def _rows(counts: Any, rows: NDArray[np.intp]) -> Any:
    return sparse.csr_array(counts)[rows] if sparse.issparse(counts) else np.asarray(counts)[rows]


def _scaled(
    x: NDArray[np.float32], y: NDArray[np.float32], A: sparse.csr_array, n_iter: int, tolerance: float
) -> NDArray[np.float32]:
    """Generalised iterative scaling of the bins that spots touch."""
    transposed = sparse.csr_array(A.T)
    touches = transposed.copy()
    touches.data = np.ones_like(touches.data)
    # A spot without counts empties every bin that it touches: no factor could.
    open_ = touches @ (y == 0).astype(np.float32) == 0
    x = _filled(np.where(open_, x, np.float32(0)), y, open_, A, transposed)
    largest = np.float32(transposed.sum(axis=1).max())
    for _ in range(n_iter):
        ratio = _ratio(y, A @ x)
        if np.abs(ratio - 1).max(initial=0) <= tolerance:
            return x
        x = x * np.exp(transposed @ np.log(ratio) / largest)
    # Whole bins of a spot by one factor (the geometric mean of the factors, where spots share a bin).
    share = sparse.csr_array(sparse.diags_array(1 / touches.sum(axis=1)) @ touches, dtype=np.float32)
    return np.asarray(x * np.exp(share @ np.log(_ratio(y, A @ x))), dtype=np.float32)


def _ratio(y: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measured over found; 1 where nothing can be rescaled."""
    return np.divide(y, found, out=np.ones_like(y), where=(y > 0) & (found > _TINY))


def _filled(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    open_: NDArray[np.bool_],
    A: sparse.csr_array,
    transposed: sparse.csr_array,
) -> NDArray[np.float32]:
    """Spread counts evenly over the open bins of spots of which nothing was predicted."""
    lost = (y > 0) & (A @ x <= _TINY)
    if not lost.any():
        return x
    area = A @ open_.astype(np.float32)
    even = transposed @ np.divide(y, area, out=np.zeros_like(y), where=lost & (area > _TINY))
    return np.asarray(x + even * open_, dtype=np.float32)
