import numpy as np
import pytest

from benchmarks.superres import measures
from clearspot.metrics import maps


def test_correlation_keeps_its_sign_and_knows_what_is_undefined(rng):
    truth = rng.random((50, 4))
    truth[:, 3] = 1.1
    predicted = np.column_stack([2 * truth[:, 0] + 1, -truth[:, 1], np.full(50, 0.3), truth[:, 0]])

    r = maps.gene_pearson(truth, predicted)

    np.testing.assert_allclose(r[:3], [1, -1, 0], atol=1e-12)
    assert np.isnan(r[3])


def test_correlation_is_numpys(rng):
    truth, predicted = rng.random((30, 2)), rng.random((30, 2))

    expected = [np.corrcoef(truth[:, gene], predicted[:, gene])[0, 1] for gene in range(2)]

    np.testing.assert_allclose(maps.gene_pearson(truth, predicted), expected)


def test_deviance_is_zero_for_the_truth_and_least_there(rng):
    truth = rng.poisson(3, (200, 1)).astype(float)

    assert maps.poisson_deviance(truth, truth)[0] == pytest.approx(0, abs=0.05)  # predicted zeros are floored
    means = [maps.poisson_deviance(truth, np.full_like(truth, mean))[0] for mean in (2.0, truth.mean(), 4.0)]
    assert means[1] < means[0]
    assert means[1] < means[2]


def test_deviance_by_hand():
    found = maps.poisson_deviance(np.array([[0.0], [2.0]]), np.array([[1.0], [4.0]]))

    assert found[0] == pytest.approx((2 * 1 + 2 * (2 * np.log(0.5) + 2)) / 2)


def test_a_predicted_zero_costs_much_but_not_infinitely_much():
    truth = np.array([[4.0], [0.0]])

    assert 5 < maps.poisson_deviance(truth, np.zeros((2, 1)))[0] < 100
    assert np.isnan(maps.poisson_deviance(np.zeros((3, 1)), np.ones((3, 1)))[0])


def test_error_on_the_square_root_scale_in_units_of_training_data():
    truth, predicted = np.array([[4.0, 1.0], [9.0, 1.0]]), np.array([[9.0, 1.0], [16.0, 1.0]])

    np.testing.assert_allclose(measures.sqrt_rmse(truth, predicted, [0.5, 2.0]), [2.0, 0.0])
    assert np.isnan(measures.sqrt_rmse(truth, predicted, [0.5, 0.0])[1])


def test_ssim_is_one_for_the_truth_and_looks_at_the_mask_alone(rng):
    truth = rng.gamma(1, 2, (24, 24, 2))
    mask = np.zeros((24, 24), dtype=bool)
    mask[:12] = True
    below = truth.copy()
    below[12:] = 50.0

    np.testing.assert_allclose(measures.ssim(truth, below, [4.0, 4.0], mask), 1.0)
    assert (measures.ssim(truth, rng.permutation(truth), [4.0, 4.0], mask) < 0.5).all()


def test_a_blurred_map_has_too_large_a_morans_i(rng):
    noisy = rng.random((20, 20))
    blurred = (noisy + np.roll(noisy, 1, 0) + np.roll(noisy, 1, 1)) / 3
    mask = np.ones((20, 20), dtype=bool)
    mask[:3, :3] = False

    error = measures.morans_error(noisy[mask][:, None], blurred[mask][:, None], mask)

    assert error[0] > 0.2
    assert measures.morans_error(noisy[mask][:, None], noisy[mask][:, None], mask)[0] == 0


def test_gene_gene_error_sees_a_lost_correlation(rng):
    shared = rng.random((500, 1))
    truth = np.hstack([shared, shared, rng.random((500, 1))])
    shuffled = truth.copy()
    shuffled[:, 1] = rng.permutation(shuffled[:, 1])

    assert measures.gene_gene_error(truth, truth) == 0
    assert measures.gene_gene_error(truth, shuffled) == pytest.approx(1 / 3, abs=0.05)
    assert np.isnan(measures.gene_gene_error(truth[:, :1], truth[:, :1]))


def test_the_ceiling_is_the_correlation_of_counts_with_their_expectation(rng):
    rates = np.column_stack([rng.gamma(4, 5, 20_000), rng.gamma(1, 0.3, 20_000)])
    counts = rng.poisson(rates)

    np.testing.assert_allclose(measures.thinning_ceiling(counts, rng), maps.gene_pearson(counts, rates), atol=0.02)


def test_minmax_rmse_prefers_one_lit_bin_to_the_truth_with_noise(rng):
    """Why it ranks nothing."""
    truth = rng.gamma(0.05, 1, (2000, 1))
    lit = np.zeros_like(truth)
    lit[0] = 1

    noisy = measures.minmax_scores(truth, truth + rng.gamma(1, 0.3, truth.shape))["rmse"][0]

    assert measures.minmax_scores(truth, lit)["rmse"][0] < noisy


def test_shapes_that_disagree_are_refused():
    with pytest.raises(ValueError, match="shape"):
        maps.gene_pearson(np.ones((3, 2)), np.ones((3, 1)))
