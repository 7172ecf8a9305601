"""Equal distances are treated alike, however the coordinates were rounded."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams
from tests.helpers.sections import from_counts, hexagon, square

METHODS = ["radius", "knn", "grid", "delaunay"]
LATTICES = {
    "hexagonal": hexagon(7, 8),
    "square": square(7, 8),
    "hexagonal with holes": hexagon(9, 9)[np.arange(81) % 7 > 0],
    "square with holes": square(9, 9)[np.arange(81) % 11 > 0],
    # 1.2 is the ratio from which shells count as apart.
    "rectangular": square(7, 8) * [1.0, 1.2],
}


def graph(coordinates, **params):
    adata = from_counts(np.ones((len(coordinates), 1)), coordinates)
    adata.uns["clearspot"]["microns_per_pixel"] = params.pop("um_per_px", 0.5)
    build_graph(adata, "s", GraphParams(**params))
    return adata.obsp["spatial_connectivities"]


def moved(coordinates, angle, scale, shift):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * (coordinates @ turn.T) + shift


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", LATTICES)
@settings(max_examples=6, deadline=None, derandomize=True)
@given(
    angle=st.floats(0, 2 * np.pi),
    scale=st.floats(1e-3, 1e3),
    shift=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    n_neighbors=st.sampled_from([3, 4, 6, 8, 11, 18]),
)
def test_moving_turning_and_scaling_change_no_edge(name, method, angle, scale, shift, n_neighbors):
    coordinates = LATTICES[name]
    plain = graph(coordinates, method=method, n_neighbors=n_neighbors)
    other = graph(moved(coordinates, angle, scale, np.array(shift) * scale), method=method, n_neighbors=n_neighbors)
    assert (plain != other).nnz == 0


@settings(max_examples=15, deadline=None, derandomize=True)
@given(angle=st.floats(0, 2 * np.pi), scale=st.floats(0.01, 100))
def test_a_radius_of_exactly_the_pitch_takes_the_first_shell(angle, scale):
    # A pitch of 100 px of 0.5 um.
    coordinates = moved(square(5, 5), angle, scale, np.zeros(2))
    assert graph(coordinates, radius=50.0, um_per_px=0.5 / scale).sum() == 2 * 40


def test_the_k_th_neighbour_brings_those_as_near_as_it():
    degree = np.asarray(graph(square(9, 9), method="knn", n_neighbors=6).sum(axis=1)).reshape(9, 9)
    assert degree[4, 4] == 8


def test_many_ties_are_all_found():
    ring = 2 * np.pi * np.arange(60) / 60
    wheel = np.concatenate([[[0.0, 0.0]], 100 * np.column_stack([np.cos(ring), np.sin(ring)])])
    assert graph(wheel, method="knn", n_neighbors=1)[0].sum() == 60


def test_a_triangulation_has_no_diagonals_that_rounding_could_swap():
    found = graph(square(6, 6), method="delaunay")
    assert (found != graph(square(6, 6), method="radius", n_neighbors=4)).nnz == 0


def test_noise_along_a_straight_border_adds_no_edge_along_it():
    rng = np.random.default_rng(0)
    plain = graph(square(6, 6), method="delaunay")
    noisy = graph(square(6, 6) + rng.normal(0, 1e-8, size=(36, 2)), method="delaunay")
    assert (plain != noisy).nnz == 0
