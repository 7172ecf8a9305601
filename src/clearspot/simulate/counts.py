"""Draw sparse negative-binomial counts exactly, from low-rank means, without a dense matrix of all of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse

_CHUNK_ENTRIES: Final = 20_000_000
_SMALLEST_P: Final = 1e-9
"""Below this a logarithmic variable is 1 in double precision anyway."""


def sample_counts(
    seed: np.random.SeedSequence,
    amounts: np.ndarray,
    loadings: np.ndarray,
    theta: np.ndarray,
    *,
    dropout: float = 0.0,
) -> sparse.csr_array:
    """Draw counts with mean ``amounts @ loadings`` and variance mean + mean^2 / theta.

    A negative binomial is a Poisson number of clusters, each of logarithmic size. Clusters are proposed program by
    program from a Poisson with the mean itself and accepted with probability log(1 + mean/theta) / (mean/theta), which
    leaves exactly the Poisson number that the negative binomial needs. The cost grows with the counts, not with
    spots x genes.

    Parameters
    ----------
    seed
        Rows are drawn in chunks, each from a child of this seed.
    amounts
        Spots x programs, non-negative.
    loadings
        Programs x genes, non-negative.
    theta
        Inverse dispersion of each gene.
    dropout
        Probability with which an entry whose mean is far below 1 is lost; falls as exp(-mean).

    Returns
    -------
    int32 CSR, spots x genes, sorted, without stored zeros.
    """
    n_spots, n_genes = len(amounts), loadings.shape[1]
    step = max(_CHUNK_ENTRIES // max(n_genes, 1), 1)
    starts = range(0, n_spots, step)
    streams = seed.spawn(len(starts))
    share = np.cumsum(loadings, axis=1)
    blocks = [
        _sample_block(np.random.default_rng(stream), amounts[start : start + step], loadings, share, theta, dropout)
        for start, stream in zip(starts, streams, strict=True)
    ]
    return sparse.csr_array(sparse.vstack(blocks, format="csr"), dtype=np.int32)


def _sample_block(
    rng: np.random.Generator,
    amounts: np.ndarray,
    loadings: np.ndarray,
    share: np.ndarray,
    theta: np.ndarray,
    dropout: float,
) -> sparse.csr_array:
    rows, genes = _propose(rng, amounts, share)
    mean = (amounts.astype(np.float64) @ loadings)[rows, genes]
    ratio = mean / theta[genes]
    accepted = rng.random(len(rows)) * ratio < np.log1p(ratio)
    rows, genes, mean, ratio = rows[accepted], genes[accepted], mean[accepted], ratio[accepted]
    sizes = rng.logseries(np.maximum(ratio / (1 + ratio), _SMALLEST_P))
    if dropout > 0:
        # One draw an entry, not a cluster: take the first cluster's draw for all of the entry's.
        entries, inverse = np.unique(rows * share.shape[1] + genes, return_inverse=True)
        lost = (rng.random(len(entries))[inverse]) < dropout * np.exp(-mean)
        rows, genes, sizes = rows[~lost], genes[~lost], sizes[~lost]
    block = sparse.coo_array((sizes.astype(np.int32), (rows, genes)), shape=(len(amounts), share.shape[1])).tocsr()
    block.sum_duplicates()
    return block


def _propose(rng: np.random.Generator, amounts: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spot and gene of every molecule of a Poisson draw."""
    rows, genes = [], []
    for amount, cumulated in zip(amounts.T, share, strict=True):
        total = cumulated[-1]
        number = rng.poisson(np.asarray(amount, dtype=np.float64) * total)
        rows.append(np.repeat(np.arange(len(number)), number))
        drawn = np.searchsorted(cumulated, rng.random(number.sum()) * total, side="right")
        genes.append(np.minimum(drawn, share.shape[1] - 1))
    return np.concatenate(rows), np.concatenate(genes)


def split_counts(
    rng: np.random.Generator, counts: sparse.csr_array, parts: np.ndarray, amounts: np.ndarray, loadings: np.ndarray
) -> sparse.csr_array:
    """Deal the counts of coarse bins out to the fine bins inside them, in proportion to the fine bins' means.

    Parameters
    ----------
    rng
        Source of all randomness.
    counts
        Coarse bins x genes.
    parts
        Coarse bins x n: index of the fine bins inside each.
    amounts
        Fine bins x programs.
    loadings
        Programs x genes.

    Returns
    -------
    int32 CSR, fine bins x genes; summed over ``parts`` it is ``counts``.
    """
    coarse = counts.tocoo()
    bins = np.repeat(coarse.row, coarse.data)
    genes = np.repeat(coarse.col, coarse.data)
    chosen = np.empty(len(bins), dtype=np.int64)
    step = max(_CHUNK_ENTRIES // (parts.shape[1] * len(loadings)), 1)
    for start in range(0, len(bins), step):
        here = slice(start, start + step)
        candidates = parts[bins[here]]
        mean = np.einsum("npk,kn->np", amounts[candidates], loadings[:, genes[here]])
        cumulated = np.cumsum(mean, axis=1)
        draw = rng.random(len(candidates)) * cumulated[:, -1]
        place = np.minimum((cumulated <= draw[:, None]).sum(axis=1), parts.shape[1] - 1)
        chosen[here] = candidates[np.arange(len(candidates)), place]
    fine = sparse.coo_array(
        (np.ones(len(bins), dtype=np.int32), (chosen, genes)), shape=(len(amounts), counts.shape[1])
    )
    fine = fine.tocsr()
    fine.sum_duplicates()
    return fine
