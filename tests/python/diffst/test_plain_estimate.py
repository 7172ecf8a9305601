import numpy as np
import pytest
import scipy.sparse as sp

from clearspot.diffst.estimate.dispersion import dispersion, expectation_draws, noise_sd
from clearspot.diffst.estimate.image_trend import ImageTrend
from clearspot.diffst.estimate.plain_estimate import choose_smoothing, gaussian_mean, plain_estimate
from clearspot.diffst.generate.gene_noise import COARSE_CELLS, FINE_CELLS, GeneNoise


@pytest.fixture
def operator(spot_operator):
    return sp.csr_array(spot_operator)


def test_even_counts_give_an_even_map(operator, spots_px, spot_grid):
    area = np.asarray(operator.sum(axis=1)).ravel()
    found = plain_estimate(3 * area[:, None], operator, spot_grid, spots_px, 100.0)
    np.testing.assert_allclose(found, 3, rtol=1e-4)


def test_the_image_shows_where_between_spots_a_border_lies(operator, spots_px, spot_grid):
    rng = np.random.default_rng(0)
    column = np.arange(spot_grid.n_cols) - spot_grid.n_cols / 2
    image = np.broadcast_to(np.sign(column + 0.3), spot_grid.shape)[None].astype(np.float32)
    truth = np.where(image[0] > 0, 40.0, 4.0)
    counts = rng.poisson(operator @ truth.ravel())[:, None].astype(np.float32)
    everyone = np.ones(len(counts), dtype=bool)
    plain = plain_estimate(counts, operator, spot_grid, spots_px, 100.0)[0]
    trend = ImageTrend(image, operator).fit(counts, everyone)
    guided = plain_estimate(counts, operator, spot_grid, spots_px, 100.0, trend)[0]
    assert np.abs(guided - truth).mean() < 0.7 * np.abs(plain - truth).mean()


def test_an_image_of_noise_is_not_believed(operator, spots_px, spot_grid):
    rng = np.random.default_rng(0)
    image = rng.standard_normal((3, *spot_grid.shape)).astype(np.float32)
    area = np.asarray(operator.sum(axis=1)).ravel()
    counts = rng.poisson(20 * area)[:, None].astype(np.float32)
    guided = plain_estimate(
        counts,
        operator,
        spot_grid,
        spots_px,
        100.0,
        ImageTrend(image, operator).fit(counts, np.ones(len(counts), bool)),
    )
    assert guided.std() < 0.15 * guided.mean()


def test_no_factor_is_chosen_where_the_expectation_is_right():
    rng = np.random.default_rng(0)
    row, column = np.divmod(np.arange(400), 20)
    expected = np.where(column < 10, 30.0, 5.0)[:, None]
    counts = rng.poisson(expected)
    widths, _ = choose_smoothing(
        counts, {1.0: expected}, np.column_stack([column, row]).astype(float), 1.0, (np.inf, 1.0, 0.7)
    )
    assert np.isinf(widths[0])


def test_spots_taken_some_at_once_choose_alike(monkeypatch):
    rng = np.random.default_rng(0)
    xy = np.vstack([rng.random((60, 2)) * 8, [[500.0, 500.0]]])
    counts, expectations = rng.poisson(5, (61, 4)), {0.0: np.ones((61, 4)), 1.0: rng.gamma(2, 1, (61, 4))}
    together = choose_smoothing(counts, expectations, xy, 1.0)
    monkeypatch.setattr("clearspot.diffst.estimate.plain_estimate._SPOTS_AT_ONCE", 7)
    np.testing.assert_array_equal(choose_smoothing(counts, expectations, xy, 1.0), together)


def test_dispersion_is_that_of_the_negative_binomial():
    rng = np.random.default_rng(0)
    mean, phi = rng.uniform(2, 20, (4000, 1)), 0.4
    counts = rng.poisson(mean * rng.gamma(1 / phi, phi, mean.shape))
    assert dispersion(counts, mean)[0] == pytest.approx(phi, rel=0.1)


def test_draws_of_expectations_lie_between_count_and_prediction_and_keep_unseen_genes_at_zero():
    counts = np.array([[9.0, 0], [1.0, 0]])
    draws = np.stack(
        [
            expectation_draws(counts, np.full((2, 2), 4.0), np.array([0.25, 0.25]), np.random.default_rng(n))
            for n in range(2000)
        ]
    )
    # (y + 4) * 4 / (4 + 4)
    np.testing.assert_allclose(draws.mean(axis=0)[:, 0], [6.5, 2.5], rtol=0.05)
    assert (draws[:, :, 1] == 0).all()


@pytest.mark.parametrize("cells", [FINE_CELLS, COARSE_CELLS])
def test_noise_has_mean_one_and_the_wanted_spread_at_spots_whatever_the_genes_order(operator, spot_grid, cells):
    noise = GeneNoise(spot_grid, operator, 100.0, 0, "s1", cells)
    names = tuple(f"g{number}" for number in range(40))
    sd = np.full(40, 0.4)
    factors = noise.factors(0, names, sd)
    area = np.asarray(operator.sum(axis=1))[:, None]
    at_spots = np.asarray(operator @ factors) / area
    assert at_spots.mean() == pytest.approx(1, abs=0.05)
    assert np.log(at_spots).std() == pytest.approx(0.4, rel=0.2)
    np.testing.assert_array_equal(noise.factors(0, names[::-1], sd), factors[:, ::-1])


def test_coarse_noise_spreads_bins_less_than_fine_noise(operator, spot_grid):
    names, sd = tuple(f"g{number}" for number in range(40)), np.full(40, 0.4)
    fine, coarse = (
        np.log(GeneNoise(spot_grid, operator, 100.0, 0, "s1", cells).factors(0, names, sd)).std()
        for cells in (FINE_CELLS, COARSE_CELLS)
    )
    assert 0.35 < coarse < 0.9 * fine


def test_noise_brings_draws_up_to_the_dispersion_and_never_vanishes():
    found = noise_sd(np.array([0.5, 0.5]), np.array([0.2, 0.9]), 0.1)
    np.testing.assert_allclose(np.expm1(found**2), [0.3, 0.05])


def test_the_gaussian_mean_of_even_spots_is_even_and_lies_between_those_of_uneven_ones(operator, spots_px, spot_grid):
    area = np.asarray(operator.sum(axis=1)).ravel()
    values = np.stack([3 * area, np.where(spots_px[:, 0] < np.median(spots_px[:, 0]), 1.0, 5.0) * area], axis=1)
    even, uneven = gaussian_mean(values, operator, spot_grid, width_um=45.0)
    np.testing.assert_allclose(even, 3.0, rtol=1e-4)
    assert 1 - 1e-4 <= uneven.min() < uneven.max() <= 5 + 1e-4
