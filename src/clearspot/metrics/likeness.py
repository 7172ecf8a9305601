"""How much of what distinguishes a spot its neighbours share, with the noise of counting taken off.

Moran's I falls with depth as with disorder: where few molecules were counted, neighbours differ by chance. Here each
spot's counts are dealt out to two halves at random. What a spot's one half shares with its other is signal; what it
shares with the other half of its neighbours is the part of the signal that goes on beside it. Their ratio does not
depend on the depth. It is the nugget effect of geostatistics (Matheron 1963), measured by thinning as in Neufeld et al.
(Biostatistics 2024).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, spmatrix, triu

MOST_PAIRS: Final = 20_000
N_GENES: Final = 300
FEWEST_PAIRS: Final = 100

_DISPERSION: Final = 10.0
_CLIP: Final = 5.0
"""Pearson residuals of counts with this dispersion, cut here: one spot must not decide."""
_LEAST_SIGNAL: Final = 4.0
"""Standard errors that the shared signal of a spot's halves must reach for a ratio to mean anything."""


def neighbour_likeness(counts: spmatrix, connectivities: spmatrix, seed: int = 0) -> float | None:
    """Share of the signal between spots that touching spots have in common.

    Parameters
    ----------
    counts
        N x G, whole numbers.
    connectivities
        N x N, symmetric, without a diagonal.
    seed
        Seed of the halves, and of the pairs drawn where there are more than :data:`MOST_PAIRS`.

    Returns
    -------
    About 1 where neighbours are alike but for the noise of counting, 0 where they are as any two spots; ``None`` where
    there are too few pairs, or no signal that could be shared.
    """
    rng = np.random.default_rng(seed)
    counts = csr_matrix(counts)
    one, other = triu(csr_matrix(connectivities), k=1).nonzero()
    if one.size > MOST_PAIRS:
        drawn = np.sort(rng.choice(one.size, MOST_PAIRS, replace=False))
        one, other = one[drawn], other[drawn]
    if one.size < FEWEST_PAIRS:
        return None
    spots, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    one, other = places.reshape(2, -1)
    genes = np.argsort(-np.asarray(counts[spots].sum(axis=0)).ravel(), kind="stable")[:N_GENES]
    first = counts[spots][:, np.sort(genes)]
    whole = first.data.astype(np.int64)
    half = rng.binomial(whole, 0.5)
    a, b = (_residuals(csr_matrix((data, first.indices, first.indptr), first.shape)) for data in (half, whole - half))
    own = np.einsum("ij,ij->i", a, b)
    if own.mean() <= _LEAST_SIGNAL * own.std() / np.sqrt(own.size):
        return None
    shared = (np.einsum("ij,ij->i", a[one], b[other]) + np.einsum("ij,ij->i", a[other], b[one])) / 2
    return float(shared.mean() / own.mean())


def _residuals(counts: csr_matrix) -> NDArray[np.float32]:
    """Pearson residuals against each gene's share of the total, centred by gene."""
    dense = counts.toarray().astype(np.float32)
    share = dense.sum(axis=0) / max(float(dense.sum()), 1.0)
    expected = dense.sum(axis=1, keepdims=True) * share
    spread = np.sqrt(expected + expected**2 / _DISPERSION)
    found = np.divide(dense - expected, spread, out=np.zeros_like(dense), where=spread > 0)
    found = np.clip(found, -_CLIP, _CLIP)
    centred: NDArray[np.float32] = found - found.mean(axis=0)
    return centred
