"""The dispersion of simulated counts is found, and drawn towards all genes' where a gene says little."""

import numpy as np
from numpy.testing import assert_allclose

from clearspot.distributions.moments import shrunk_dispersion


def moments(phi, mean, n_spots=20_000, seed=0):
    generator = np.random.default_rng(seed)
    counts = generator.poisson(generator.gamma(1 / phi, phi * mean, size=(n_spots, len(mean))))
    return ((counts - mean) ** 2 - mean).sum(axis=0), n_spots * mean**2


def test_dispersion_of_negative_binomial_counts_is_found():
    phi = np.array([0.1, 0.5, 2.0])
    found = shrunk_dispersion(*moments(phi, np.array([5.0, 5.0, 5.0])), prior=1.0)
    assert_allclose(found, phi, rtol=0.1)


def test_a_gene_that_says_nothing_has_what_all_have_together():
    excess, power = moments(np.array([0.5, 0.5]), np.array([5.0, 5.0]))
    found = shrunk_dispersion(np.append(excess, 0.0), np.append(power, 0.0), prior=20.0)
    assert_allclose(found[2], excess.sum() / power.sum())


def test_shrinkage_is_the_weighted_mean_of_a_gene_and_all():
    excess, power = np.array([1.0, 30.0]), np.array([10.0, 10.0])
    assert_allclose(shrunk_dispersion(excess, power, prior=10.0), [(0.1 + 1.55) / 2, (3.0 + 1.55) / 2])


def test_least_bounds_what_all_have_together():
    excess, power = np.array([-1.0, -2.0]), np.array([10.0, 10.0])
    assert_allclose(shrunk_dispersion(excess, power, 10.0, least=0.5), [(-0.1 + 0.5) / 2, (-0.2 + 0.5) / 2])
