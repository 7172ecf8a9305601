import numpy as np
import pytest

from clearspot.graph import lattice
from clearspot.graph.lattice import find_spacing
from tests.helpers.sections import hexagon, square


def test_a_hexagon_has_six_neighbours_between_its_first_two_shells():
    spacing = find_spacing(hexagon(20, 20))
    assert (spacing.lattice, spacing.degree) == ("hexagonal", 6)
    assert spacing.pitch == pytest.approx(100)
    assert spacing.radius == pytest.approx(100 * (1 + np.sqrt(3)) / 2)


@pytest.mark.parametrize(("wanted", "degree", "radius"), [(4, 4, 120.7), (6, 8, 170.7), (8, 8, 170.7)])
def test_a_square_has_four_or_eight(wanted, degree, radius):
    spacing = find_spacing(square(20, 20), wanted)
    assert (spacing.lattice, spacing.degree) == ("square", degree)
    assert spacing.radius == pytest.approx(radius, abs=0.1)


def test_a_wider_neighbourhood_takes_whole_shells():
    assert find_spacing(hexagon(30, 30), 20).degree == 18


@pytest.mark.parametrize("seed", range(3))
def test_rounded_and_distorted_positions_have_the_same_neighbours(seed):
    rng = np.random.default_rng(seed)
    coordinates = np.round(hexagon(20, 20) + rng.normal(0, 3, size=(400, 2)))
    assert find_spacing(coordinates).degree == 6


def test_a_thin_strip_is_still_a_hexagon():
    spacing = find_spacing(hexagon(2, 60))
    assert (spacing.lattice, spacing.degree) == ("hexagonal", 6)


def test_scattered_spots_get_the_radius_at_which_the_median_degree_is_as_wanted():
    coordinates = np.random.default_rng(0).uniform(size=(2000, 2))
    spacing = find_spacing(coordinates)
    distances = np.linalg.norm(coordinates[:, None] - coordinates[None], axis=2)
    assert spacing.lattice == "irregular"
    assert np.median((distances < spacing.radius).sum(axis=1) - 1) == 6


def test_a_sample_of_the_spots_is_enough(monkeypatch):
    coordinates = hexagon(40, 40)
    everything = find_spacing(coordinates)
    monkeypatch.setattr(lattice, "_SAMPLE", 100)
    assert find_spacing(coordinates).degree == everything.degree


def test_two_spots_are_a_distance_apart():
    spacing = find_spacing(np.array([[0.0, 0.0], [3.0, 4.0]]))
    assert (spacing.pitch, spacing.radius, spacing.lattice) == (5.0, 5.0, "irregular")


def test_one_spot_has_no_spacing():
    with pytest.raises(ValueError, match="fewer than two"):
        find_spacing(np.zeros((1, 2)))
