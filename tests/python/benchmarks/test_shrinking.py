import numpy as np
from scipy import sparse

from benchmarks.superres.shrinking import shrunk_counts


def test_shrunk_counts_are_nearer_to_the_truth_than_counts_and_than_a_good_prediction(rng, spot_operator):
    truth = rng.gamma(1, 0.5, (spot_operator.shape[1], 3))
    expected = spot_operator @ truth
    prediction = truth * rng.gamma(4, 0.25, truth.shape)
    counts = sparse.csr_array(rng.poisson(expected))

    shrunk = shrunk_counts(prediction, counts, spot_operator)

    def error(values):
        return ((values - expected) ** 2).mean()

    assert error(shrunk) < error(counts.toarray())
    assert error(shrunk) < error(spot_operator @ prediction)
    np.testing.assert_allclose(shrunk.sum(axis=0), counts.sum(axis=0), rtol=1e-5)


def test_a_prediction_that_explains_nothing_is_overruled(rng, spot_operator):
    counts = rng.poisson(rng.gamma(0.2, 2000, (spot_operator.shape[0], 1)))

    shrunk = shrunk_counts(np.ones((spot_operator.shape[1], 1)), counts, spot_operator)

    assert np.corrcoef(shrunk[:, 0], counts[:, 0])[0, 1] > 0.999


def test_shrinking_leaves_genes_without_counts_at_zero(rng, spot_operator):
    counts = sparse.csr_array(rng.poisson(rng.gamma(0.5, 4, (spot_operator.shape[0], 6)) * [1, 5, 50, 0.1, 1, 0]))
    prediction = rng.gamma(0.3, 1, (spot_operator.shape[1], 6)).astype(np.float32)

    shrunk = shrunk_counts(prediction, counts, spot_operator)

    assert np.isfinite(shrunk).all()
    assert (shrunk[:, 5] == 0).all()
    assert (shrunk[:, :5] >= 0).all()
