import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from clearspot.domains import leiden
from clearspot.domains.leiden import leiden_domains

TRUTH = np.repeat([0, 1, 2, 3], 40)


@pytest.fixture(scope="module")
def latent():
    centres = np.random.default_rng(5).normal(scale=8, size=(4, 6))
    return centres[TRUTH] + np.random.default_rng(0).normal(size=(160, 6))


def test_a_wanted_number_is_found_by_its_resolution(latent):
    found = leiden_domains(latent, n_domains=4)
    assert adjusted_rand_score(TRUTH, found.codes) == 1.0


def test_more_domains_need_a_higher_resolution(latent):
    few, many = leiden_domains(latent, n_domains=4), leiden_domains(latent, n_domains=8)
    assert np.unique(many.codes).size == 8
    assert many.resolution > few.resolution


def test_without_a_number_the_resolution_holds(latent):
    assert leiden_domains(latent, resolution=0.5).resolution == 0.5


def test_a_number_that_never_occurs_gives_the_nearest(latent):
    # Four separate groups are at least four communities at any resolution.
    assert np.unique(leiden_domains(latent, n_domains=2).codes).size == 4


def test_the_seed_decides(latent):
    noise = np.random.default_rng(1).normal(size=(150, 5))
    assert (leiden_domains(noise, seed=2).codes == leiden_domains(noise, seed=2).codes).all()


def test_more_spots_than_scanpy_searches_exactly_are_no_obstacle():
    truth = np.repeat([0, 1], 4_200)
    latent = 20.0 * truth[:, None] + np.random.default_rng(0).normal(size=(8_400, 2))
    assert adjusted_rand_score(truth, leiden_domains(latent, resolution=0.001).codes) == 1.0


def test_approximate_neighbours_of_many_spots_give_the_same_domains(latent, monkeypatch):
    exact = leiden_domains(latent, resolution=0.5, seed=1)
    monkeypatch.setattr(leiden, "_EXACT_UP_TO", 100)
    found, again = (leiden_domains(latent, resolution=0.5, seed=1) for _ in range(2))
    assert adjusted_rand_score(exact.codes, found.codes) > 0.95
    assert adjusted_rand_score(TRUTH, found.codes) > 0.9
    np.testing.assert_array_equal(found.codes, again.codes)
