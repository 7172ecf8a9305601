"""Counts to conserve in place of the measured ones."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

_TINY: Final = 1e-20


def shrunk_counts(x: ArrayLike, counts: Any, A: sparse.sparray) -> NDArray[np.float32]:
    """Counts to expect of a second measurement of the same spots: between what was measured and what is predicted.

    Conserving counts as measured also conserves their noise, down to an exact 0 where a rare gene was missed once.
    A projection onto these conserves what the measurement says about the spot's expectation instead. With a gamma
    prior around the prediction m the posterior mean is ``m (y + r) / (m + r)``. The shape r of each gene is the one
    that explains how far the counts lie from their predictions beyond Poisson noise: a prediction that explains the
    counts is trusted, one that does not is overruled.

    Parameters
    ----------
    x, counts, A
        As in :func:`clearspot.diffst.estimate.projection.project`.

    Returns
    -------
    float32, n_spots x n_genes; the totals of genes over spots are the measured ones.
    """
    y = np.asarray(counts.toarray() if sparse.issparse(counts) else counts, dtype=np.float64)
    m = sparse.csr_array(A) @ np.asarray(x, dtype=np.float64)
    total, expected = y.sum(axis=0), m.sum(axis=0)
    m *= np.divide(total, expected, out=np.zeros_like(total), where=expected > 0)
    excess = np.maximum(((y - m) ** 2 - m).sum(axis=0), 1e-9 * total)
    shape = np.divide((m**2).sum(axis=0), excess, out=np.full_like(total, _TINY), where=excess > 0)
    shrunk = np.divide(m * (y + shape), m + shape, out=y.copy(), where=m > 0)
    sums = shrunk.sum(axis=0)
    return np.asarray(shrunk * np.divide(total, sums, out=np.zeros_like(total), where=sums > 0), dtype=np.float32)
