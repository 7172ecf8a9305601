"""Which genes are expressed together: a graph of each gene's nearest neighbours by rank correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import rankdata

_GENES_AT_ONCE = 512
_MAX_SPOTS = 2000


@dataclass(frozen=True)
class GeneGraph:
    """Edges from co-expressed gene to gene.

    Parameters
    ----------
    edges
        ``(2, n)`` int64: neighbour, gene.
    weights
        ``(n,)`` float32, positive; those that arrive at a gene sum to 1.
    """

    edges: NDArray[np.int64]
    weights: NDArray[np.float32]


def correlation_graph(counts: sp.csr_matrix, n_neighbours: int, seed: int) -> GeneGraph:
    """Connect each gene with the genes of highest positive Spearman correlation over spots.

    Counts are divided by the spot's total first: two genes that merely follow the sequencing depth are no neighbours.
    Memory is linear in genes: the correlations are computed for some hundred genes at a time.

    Parameters
    ----------
    counts
        ``(spots, genes)``.
    n_neighbours
        At most so many a gene.
    seed
        Of the choice of spots where there are more than 2,000.
    """
    if counts.shape[0] > _MAX_SPOTS:
        rows = np.random.default_rng(seed).choice(counts.shape[0], _MAX_SPOTS, replace=False)
        counts = counts[np.sort(rows)]
    totals = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    scaled = sp.csc_matrix(sp.diags_array(1 / totals) @ counts)
    ranks = np.empty((counts.shape[1], counts.shape[0]), dtype=np.float32)
    for first in range(0, len(ranks), _GENES_AT_ONCE):
        block = scaled[:, first : first + _GENES_AT_ONCE].toarray()
        ranks[first : first + block.shape[1]] = rankdata(block, axis=0).T
    ranks -= ranks.mean(axis=1, keepdims=True)
    ranks /= np.maximum(np.linalg.norm(ranks, axis=1, keepdims=True), 1e-12)

    n_neighbours = min(n_neighbours, len(ranks) - 1)
    sources, targets, weights = [], [], []
    for first in range(0, len(ranks), _GENES_AT_ONCE):
        correlation = ranks[first : first + _GENES_AT_ONCE] @ ranks.T
        own = np.arange(len(correlation))
        correlation[own, first + own] = -1
        nearest = np.argpartition(-correlation, n_neighbours - 1, axis=1)[:, :n_neighbours]
        value = np.take_along_axis(correlation, nearest, axis=1)
        gene, column = np.nonzero(value > 0)
        sources.append(nearest[gene, column])
        targets.append(first + gene)
        weights.append(value[gene, column])
    target, weight = np.concatenate(targets), np.concatenate(weights)
    weight = weight / np.bincount(target, weight, len(ranks))[target]
    return GeneGraph(np.stack([np.concatenate(sources), target]).astype(np.int64), weight.astype(np.float32))
