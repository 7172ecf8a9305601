import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from clearspot.domains import gmm
from clearspot.domains.gmm import gmm_domains, knee

TRUTH = np.repeat([0, 1, 2], [60, 90, 120])


@pytest.fixture
def latent():
    """Three groups in four dimensions, stretched alike."""
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0, 0, 0], [9, 0, 0, 0], [0, 9, 0, 0]])
    return centres[TRUTH] + rng.normal(size=(270, 4)) * [1.0, 1.0, 2.0, 0.2]


def test_groups_are_found_when_their_number_is_given(latent):
    assert adjusted_rand_score(TRUTH, gmm_domains(latent, 3).codes) > 0.98


def test_the_number_is_chosen_where_groups_are_clear(latent):
    found = gmm_domains(latent, max_domains=8)
    assert np.unique(found.codes).size == 3
    assert list(found.bic) == list(range(2, 9))
    assert not found.still_falling


def test_the_unit_of_the_latent_does_not_matter(latent):
    tiny, huge = gmm_domains(latent * 1e-6, 3).codes, gmm_domains(latent * 1e6, 3).codes
    assert adjusted_rand_score(tiny, huge) == 1.0


def test_the_seed_decides(latent):
    noise = np.random.default_rng(1).normal(size=(200, 5))
    assert (gmm_domains(noise, 4, seed=3).codes == gmm_domains(noise, 4, seed=3).codes).all()


def test_a_dimension_without_variation_is_no_obstacle(latent):
    assert adjusted_rand_score(TRUTH, gmm_domains(np.column_stack([latent, np.ones(270)]), 3).codes) > 0.98


def test_a_constant_latent_is_one_domain():
    assert (gmm_domains(np.ones((50, 3))).codes == 0).all()


def test_many_spots_are_fitted_to_a_draw_and_all_assigned(latent, monkeypatch):
    monkeypatch.setattr(gmm, "_SPOTS", 100)
    codes = gmm_domains(latent, 3).codes
    assert adjusted_rand_score(TRUTH, codes) > 0.98


def test_few_spots_allow_few_domains():
    found = gmm_domains(np.random.default_rng(0).normal(size=(35, 2)))
    assert max(found.bic) == 3


@pytest.mark.parametrize(
    ("bic", "number"),
    [
        ({2: 100.0, 3: 50.0, 4: 48.0, 5: 46.0, 6: 44.0}, 3),
        ({2: 100.0, 3: 60.0, 4: 20.0, 5: 30.0, 6: 40.0}, 4),
        ({2: 10.0, 3: 20.0, 4: 30.0}, 2),
        ({2: 10.0, 3: 26.0, 4: 30.0}, 2),
        ({2: 5.0}, 2),
    ],
)
def test_the_knee_lies_furthest_below_the_line_between_the_ends(bic, number):
    assert knee(bic) == number
