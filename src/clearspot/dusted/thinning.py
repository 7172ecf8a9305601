"""Binomial thinning: counts that training never saw, drawn from the counts themselves."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def thin_counts(
    counts: sp.csr_matrix, fraction: float, seed: int | np.random.SeedSequence
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Move each single count to the held-out part with the same probability.

    For Poisson sampling the two parts are independent given the true expression, so whoever predicts the held-out part
    from the kept part has found expression and not noise.

    Parameters
    ----------
    counts
        Whole numbers, float32 CSR.
    fraction
        Probability of being held out.
    seed
        Of the draw.

    Returns
    -------
    Kept and held-out counts, same shape and type; their sum is ``counts``.
    """
    generator = np.random.default_rng(seed)
    drawn = generator.binomial(np.rint(counts.data).astype(np.int64), fraction).astype(counts.dtype)
    parts = []
    for data in (counts.data - drawn, drawn):
        part = sp.csr_matrix((data, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
        part.eliminate_zeros()
        parts.append(part)
    return parts[0], parts[1]
