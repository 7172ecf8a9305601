import numpy as np
import pytest
from scipy import stats

from clearspot.diffst.generate.uncertainty import (
    FEWEST_DRAWS,
    RunningSummary,
    Summary,
    count_interval,
    coverage,
    crps_from_samples,
    crps_gaussian,
)


@pytest.fixture
def rng():
    return np.random.default_rng(2)


def test_running_moments_are_those_of_all_samples(rng):
    samples = rng.gamma(2, 3, (9, 40, 3)).astype(np.float32)
    running = RunningSummary((40, 3))
    for sample in samples:
        running.add(sample)

    summary = running.result()

    np.testing.assert_allclose(summary.mean, samples.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(summary.sd, samples.std(axis=0, ddof=1), rtol=1e-4)
    assert (summary.q05 <= summary.q50).all()
    assert (summary.q50 <= summary.q95).all()
    assert (summary.q05 >= 0).all()


@pytest.mark.parametrize("number", [8, 16])
def test_nine_tenths_of_further_draws_lie_between_the_quantiles_however_few_samples_there_are(rng, number):
    level = rng.uniform(1, 4, 20_000)
    running = RunningSummary(level.shape)
    for _ in range(number):
        running.add(rng.normal(level, 0.2) ** 2)

    summary = running.result()

    assert coverage(rng.normal(level, 0.2) ** 2, summary.q05, summary.q95) == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize(("number", "known"), [(2, False), (FEWEST_DRAWS - 1, False), (FEWEST_DRAWS, True)])
def test_quantiles_need_eight_draws_and_a_spread_two(rng, number, known):
    running = RunningSummary((40,))
    for sample in rng.gamma(2, 3, (number, 40)):
        running.add(sample)

    summary = running.result()

    assert (summary.sd > 0).all()
    for quantile in (summary.q05, summary.q50, summary.q95):
        assert np.isfinite(quantile).all() if known else np.isnan(quantile).all()


def test_an_interval_is_widened_to_a_mean_outside_it():
    low, middle, high = (np.full(3, value, dtype=np.float32) for value in (1, 2, 3))
    mean = np.array([0.5, 2.5, 7], dtype=np.float32)

    found = Summary(middle, low, low, middle, high).around(mean)

    np.testing.assert_array_equal(found.mean, mean)
    np.testing.assert_array_equal(found.q05, [0.5, 1, 1])
    np.testing.assert_array_equal(found.q95, [3, 3, 7])


def test_quantiles_that_are_not_known_stay_so_around_a_mean():
    mean = np.ones(2, dtype=np.float32)

    found = Summary.of_mean(mean).around(2 * mean)

    assert np.isnan(found.q05).all()
    assert np.isnan(found.q95).all()


def test_one_sample_has_no_spread():
    running = RunningSummary((3,))
    running.add([1.0, 2.0, 3.0])

    with pytest.raises(ValueError, match="two samples"):
        running.result()


def test_a_sample_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="shape"):
        RunningSummary((3,)).add([1.0, 2.0])


def test_coverage_counts_both_ends():
    assert coverage([1, 2, 3, 4], [1, 0, 4, 0], [2, 2, 5, 3]) == 0.5


def test_intervals_of_counts_cover_poisson_counts_of_an_uncertain_mean(rng):
    mean, sd = 40.0, 12.0
    rates = rng.gamma((mean / sd) ** 2, sd**2 / mean, 50_000)

    lower, upper = count_interval(mean, sd)

    assert coverage(rng.poisson(rates), lower, upper) == pytest.approx(0.9, abs=0.02)
    assert coverage(rng.poisson(mean, 50_000), *count_interval(mean, 0.0)) == pytest.approx(0.9, abs=0.02)


def test_crps_of_samples_is_the_double_sum(rng):
    truth, samples = rng.random(5), rng.random((7, 5))

    scores = crps_from_samples(truth, samples)

    pairs = np.abs(samples[:, None] - samples[None]).sum(axis=(0, 1)) / (2 * 7 * 6)
    np.testing.assert_allclose(scores, np.abs(samples - truth).mean(axis=0) - pairs)


def test_crps_of_few_samples_is_that_of_their_distribution_on_average(rng):
    truth = rng.normal(1, 2, 200_000)

    few = crps_from_samples(truth, rng.normal(1, 2, (3, truth.size))).mean()

    assert few == pytest.approx(crps_gaussian(truth, 1.0, 2.0).mean(), rel=0.01)


def test_crps_of_a_point_is_its_absolute_error():
    np.testing.assert_allclose(crps_from_samples([1.0, 5.0], [[2.0, 2.0]]), [1.0, 3.0])


def test_gaussian_crps_is_the_integral_that_defines_it():
    ticks = np.linspace(-40, 40, 400_001)
    step = (stats.norm.cdf(ticks, 0.5, 1.7) - (ticks >= 1.2)) ** 2

    assert crps_gaussian(1.2, 0.5, 1.7) == pytest.approx(np.trapezoid(step, ticks), rel=1e-4)
