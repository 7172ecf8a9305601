import numpy as np
import pytest

from clearspot.qc.edges import add_edge_curve, steps_from_edge
from clearspot.qc.metrics import add_qc_metrics
from tests.helpers.sections import from_counts, hexagon, square


def test_steps_on_a_square_lattice_are_counted_from_its_rim():
    expected = [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 1, 2, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    assert steps_from_edge(square(5, 5)).reshape(5, 5).tolist() == expected


def test_a_hole_is_an_edge():
    coordinates = hexagon(9, 9)
    steps = steps_from_edge(np.delete(coordinates, 40, axis=0))
    assert steps[39] == 0
    assert steps_from_edge(coordinates)[39] > 0


def test_scattered_spots_have_no_edge():
    assert steps_from_edge(np.random.default_rng(0).uniform(size=(200, 2))) is None


def test_counts_along_the_distance():
    coordinates = hexagon(14, 14)
    steps = steps_from_edge(coordinates)
    adata = from_counts(np.where(steps[:, None] == 0, 5, 10) * np.ones((1, 2)), coordinates)
    add_qc_metrics(adata)
    table, ratio = add_edge_curve(adata)
    assert table["distance_spots"][:3] == [0, 1, 2]
    assert table["median_counts"][:3] == [10.0, 20.0, 20.0]
    assert ratio == pytest.approx(0.5)
    assert sum(table["n_spots"]) <= adata.n_obs


def test_too_small_an_interior_gives_no_ratio():
    adata = from_counts(np.ones((25, 2)), square(5, 5))
    add_qc_metrics(adata)
    _, ratio = add_edge_curve(adata)
    assert ratio is None
