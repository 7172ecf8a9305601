"""What a batch multiplies the rate of each gene by, apart from the tissues that its sections happen to have.

Totals of two batches differ by the batch and by what was on the slides. So rates are compared within clusters of spots
that all batches share: a gene's expected total in a batch is the sum over clusters of the cluster's rate times the
batch's depth there (indirect standardisation), and the factor is counted over expected. Clusters are found on
components that Harmony corrected, since a batch effect as strong as the tissues' differences would otherwise give each
batch clusters of its own; counts are corrected by the factors of the round before.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot.study.components import harmonised

ROUNDS: Final = 3
"""Rounds of clustering and standardisation."""

CLUSTERS: Final = 12
COMPONENTS: Final = 20

LEAST_SPREAD: Final = 1e-4
"""Smallest squared spread of a batch's factors over genes that is assumed."""

BOUNDS: Final = (0.05, 20.0)

_PASSES: Final = 20


def batch_factors(
    counts: csr_matrix, size_factor: NDArray[np.floating], batch: NDArray[np.intp], seed: int = 0
) -> NDArray[np.float32]:
    """Factor of every gene in every batch.

    Parameters
    ----------
    counts
        Counts, shape ``(n_spots, n_genes)``.
    size_factor
        Depth of each spot, shape ``(n_spots,)``.
    batch
        Batch of each spot, 0, 1, ..., shape ``(n_spots,)``.
    seed
        Seed of the clusters.

    Returns
    -------
    Shape ``(n_batches, n_genes)``. Of each gene, the mean over batches, weighted by depth, is 1.
    """
    n_batches = int(batch.max()) + 1
    factors = np.ones((n_batches, counts.shape[1]))
    for _ in range(ROUNDS):
        cluster = _clusters(counts, size_factor, batch, factors, seed)
        factors = _standardised(counts, size_factor, batch, cluster, n_batches)
    return factors.astype(np.float32)


def _standardised(
    counts: csr_matrix,
    size_factor: NDArray[np.floating],
    batch: NDArray[np.intp],
    cluster: NDArray[np.intp],
    n_batches: int,
) -> NDArray[np.float64]:
    """Factors that, with a rate for each cluster, give every batch its totals (Poisson, by alternating)."""
    n_clusters = int(cluster.max()) + 1
    group = batch * n_clusters + cluster
    pooled = csr_matrix(
        (np.ones(len(group)), (group, np.arange(len(group)))), shape=(n_batches * n_clusters, len(group))
    )
    counted = np.asarray((pooled @ counts).todense(), dtype=np.float64).reshape(n_batches, n_clusters, -1)
    depth = (pooled @ size_factor.astype(np.float64)).reshape(n_batches, n_clusters)
    total, weight = counted.sum(axis=1), depth.sum(axis=1)
    by_cluster = counted.sum(axis=0)
    factors = np.ones_like(total)
    for _ in range(_PASSES):
        rate = by_cluster / np.maximum(np.einsum("bk,bg->kg", depth, factors), 1e-12)
        expected = depth @ rate
        prior = 1 / spread(total, expected)[:, None]
        factors = np.clip((total + prior) / (expected + prior), *BOUNDS)
        factors /= (weight @ factors) / weight.sum()
    return factors


def spread(total: NDArray[np.float64], expected: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared spread of each batch's factors over genes, beyond Poisson noise: rare genes are drawn to 1 by as much."""
    excess = ((total - expected) ** 2 - expected).sum(axis=1)
    return np.maximum(excess / np.maximum((expected**2).sum(axis=1), 1e-12), LEAST_SPREAD)


def _clusters(
    counts: csr_matrix,
    size_factor: NDArray[np.floating],
    batch: NDArray[np.intp],
    factors: NDArray[np.float64],
    seed: int,
) -> NDArray[np.intp]:
    """k-means on the leading components of corrected log rates, brought together by Harmony."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import TruncatedSVD
    from threadpoolctl import threadpool_limits

    row = np.repeat(np.arange(len(batch)), np.diff(counts.indptr))
    rates = counts.data / (size_factor[row] * factors[batch[row], counts.indices])
    corrected = csr_matrix((np.log1p(rates), counts.indices, counts.indptr), shape=counts.shape)
    n_components = min(COMPONENTS, min(counts.shape) - 1)
    with threadpool_limits(limits=1):
        space = TruncatedSVD(n_components, random_state=seed).fit_transform(corrected)
        space = harmonised((space - space.mean(axis=0)).astype(np.float32), batch, seed)
        n_clusters = max(1, min(CLUSTERS, len(batch) // 30))
        return KMeans(n_clusters, n_init=3, random_state=seed).fit_predict(space).astype(np.intp)
