import numpy as np
import pytest
from scipy import sparse, stats

from clearspot.simulate import counts as counts_module
from clearspot.simulate.counts import sample_counts, split_counts

N = 8000


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(0)
    loadings = rng.dirichlet(np.full(30, 0.3), 3)
    amounts = np.tile(rng.gamma(2, 15, (1, 3)), (N, 1))
    return amounts, loadings, np.exp(rng.normal(1, 1, 30))


def test_counts_follow_the_negative_binomial(model):
    amounts, loadings, theta = model
    counts = sample_counts(np.random.SeedSequence(1), amounts, loadings, theta).toarray()
    mean = (amounts @ loadings)[0]
    variance = mean + mean**2 / theta
    assert (np.abs(counts.mean(axis=0) - mean) < 4.5 * np.sqrt(variance / N)).all()
    common = mean > 0.05
    np.testing.assert_allclose(counts.var(axis=0)[common], variance[common], rtol=0.2)
    for value in (0, 1, 3):
        expected = stats.nbinom.pmf(value, theta, theta / (theta + mean))
        np.testing.assert_allclose((counts == value).mean(axis=0), expected, atol=0.025)


def test_same_seed_same_counts_and_another_seed_others(model):
    amounts, loadings, theta = model
    first, second, third = (
        sample_counts(np.random.SeedSequence(seed), amounts[:50], loadings, theta) for seed in (7, 7, 8)
    )
    assert (first != second).nnz == 0
    assert (first != third).nnz > 0


def test_chunks_are_drawn_from_the_same_distribution(model, monkeypatch):
    amounts, loadings, theta = model
    monkeypatch.setattr(counts_module, "_CHUNK_ENTRIES", 300)
    counts = sample_counts(np.random.SeedSequence(1), amounts[:2000], loadings, theta)
    assert counts.shape == (2000, 30)
    assert abs(counts.sum() / (amounts[:2000] @ loadings).sum() - 1) < 0.03


def test_nothing_there_gives_nothing():
    counts = sample_counts(np.random.SeedSequence(0), np.zeros((4, 2)), np.full((2, 3), 1 / 3), np.ones(3))
    assert counts.nnz == 0
    assert counts.shape == (4, 3)


def test_matrix_is_canonical_integers(model):
    amounts, loadings, theta = model
    counts = sample_counts(np.random.SeedSequence(1), amounts[:100], loadings, theta)
    assert counts.dtype == np.int32
    assert (counts.data > 0).all()
    assert counts.has_canonical_format


def test_dropout_takes_rare_genes_more_than_abundant_ones():
    amounts = np.ones((4000, 1))
    loadings = np.array([[0.2, 6.0]])
    counts = sample_counts(np.random.SeedSequence(2), amounts, loadings, np.full(2, 1e6), dropout=0.5).toarray()
    assert abs(counts[:, 0].mean() / 0.2 - (1 - 0.5 * np.exp(-0.2))) < 0.1
    assert abs(counts[:, 1].mean() / 6.0 - 1) < 0.03


def test_split_keeps_every_count_and_follows_the_fine_means():
    rng = np.random.default_rng(0)
    coarse = sparse.csr_array(rng.poisson(400, (2, 3)).astype(np.int32))
    parts = np.array([[0, 1], [2, 3]])
    amounts = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0], [1.0, 3.0]])
    loadings = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]])
    fine = split_counts(rng, coarse, parts, amounts, loadings).toarray()
    np.testing.assert_array_equal(fine.reshape(2, 2, 3).sum(axis=1), coarse.toarray())
    assert fine[0, 1] == 0
    assert fine[1, 0] == 0
    assert abs(fine[2, 0] / coarse[1, 0] - 0.75) < 0.07
