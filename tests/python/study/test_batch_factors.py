"""Factors of batches, apart from what their sections hold."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from clearspot.study.batch_factors import batch_factors


def drawn(shares: tuple[float, float], seed: int = 0) -> tuple[csr_matrix, np.ndarray, np.ndarray, np.ndarray]:
    """Two batches of two tissues; ``shares`` is that of the first tissue in each."""
    rng = np.random.default_rng(seed)
    n, n_genes = 300, 80
    tissues = rng.gamma(0.5, 2.0, size=(2, n_genes)) + 0.2
    true = np.exp(np.stack([np.zeros(n_genes), rng.normal(0, 0.5, n_genes)]))
    batch = np.repeat([0, 1], n)
    tissue = (rng.random(2 * n) > np.repeat(shares, n)).astype(int)
    depth = rng.lognormal(0, 0.3, 2 * n)
    counts = rng.poisson(3 * tissues[tissue] * true[batch] * depth[:, None])
    return csr_matrix(counts.astype(np.float32)), depth, batch, true


def log_ratio(factors: np.ndarray) -> np.ndarray:
    ratio = np.log(factors[1] / factors[0])
    return ratio - ratio.mean()


def test_planted_factors_are_found() -> None:
    counts, depth, batch, true = drawn((0.5, 0.5))
    found = log_ratio(batch_factors(counts, depth, batch))
    assert np.corrcoef(found, log_ratio(true))[0, 1] > 0.98


def test_they_do_not_take_composition_for_a_batch_effect() -> None:
    counts, depth, batch, true = drawn((0.2, 0.8))
    found = log_ratio(batch_factors(counts, depth, batch))
    totals = np.log([counts[batch == code].sum(axis=0) / depth[batch == code].sum() for code in (0, 1)])[:, 0]
    naive = log_ratio(np.exp(totals))
    assert np.corrcoef(found, log_ratio(true))[0, 1] > 0.97
    assert np.abs(found - log_ratio(true)).mean() < 0.3 * np.abs(naive - log_ratio(true)).mean()


def test_without_a_batch_effect_they_are_near_one() -> None:
    counts, depth, batch, _ = drawn((0.5, 0.5))
    one_batch = counts[batch == 0], depth[batch == 0]
    found = batch_factors(*one_batch, np.arange(300) % 2)
    assert found.shape == (2, 80)
    assert np.abs(np.log(found)).max() < 0.1


def test_a_gene_without_counts_has_no_factor() -> None:
    counts, depth, batch, _ = drawn((0.5, 0.5))
    silent = csr_matrix(np.hstack([counts.toarray(), np.zeros((600, 1), np.float32)]))
    assert batch_factors(silent, depth, batch)[:, -1].tolist() == [1.0, 1.0]
