"""Each strategy against a matrix written down by hand."""

import numpy as np
import pytest

from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams
from tests.helpers.sections import from_counts, hexagon, square


def adjacency(coordinates, **params):
    adata = from_counts(np.ones((len(coordinates), 1)), coordinates)
    build_graph(adata, "s", GraphParams(**params))
    return adata.obsp["spatial_connectivities"].toarray().astype(int)


def matrix(n_spots, edges):
    """Symmetric 0/1 matrix of the edges."""
    made = np.zeros((n_spots, n_spots), dtype=int)
    for first, second in edges:
        made[first, second] = made[second, first] = 1
    return made


# Hexagonal, rows shifted:   0   1   2
#                              3   4   5
#                            6   7   8
HEXAGON_EDGES = [
    (0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8),
    (0, 3), (1, 3), (1, 4), (2, 4), (2, 5),
    (3, 6), (3, 7), (4, 7), (4, 8), (5, 8),
]  # fmt: skip
ROOK = [(0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (0, 3), (3, 6), (1, 4), (4, 7), (2, 5), (5, 8)]
BISHOP = [(0, 4), (4, 8), (2, 4), (4, 6), (1, 3), (1, 5), (3, 7), (5, 7)]


@pytest.mark.parametrize("method", ["radius", "grid", "delaunay"])
def test_touching_spots_of_a_hexagonal_lattice(method):
    assert adjacency(hexagon(3, 3), method=method).tolist() == matrix(9, HEXAGON_EDGES).tolist()


@pytest.mark.parametrize("method", ["radius", "grid"])
def test_four_neighbours_of_a_square_lattice(method):
    assert adjacency(square(3, 3), method=method, n_neighbors=4).tolist() == matrix(9, ROOK).tolist()


@pytest.mark.parametrize("method", ["radius", "grid"])
def test_eight_neighbours_of_a_square_lattice(method):
    assert adjacency(square(3, 3), method=method).tolist() == matrix(9, ROOK + BISHOP).tolist()


def test_a_given_radius_is_in_micrometres():
    # 0.5 um a pixel: 60 um are 120 px, 40 um are less than the pitch.
    assert adjacency(square(3, 3), radius=60.0).tolist() == matrix(9, ROOK).tolist()
    assert adjacency(square(3, 3), radius=40.0).sum() == 0


def test_nearest_neighbours_become_mutual():
    line = np.array([[0.0, 0.0], [1.0, 0.0], [3.0, 0.0], [7.0, 0.0]])
    assert adjacency(line, method="knn", n_neighbors=1).tolist() == matrix(4, [(0, 1), (1, 2), (2, 3)]).tolist()


def test_more_neighbours_than_spots_are_all_of_them():
    assert (
        adjacency(hexagon(1, 3), method="knn", n_neighbors=6).tolist() == matrix(3, [(0, 1), (0, 2), (1, 2)]).tolist()
    )


@pytest.mark.parametrize("method", ["radius", "grid", "delaunay"])
def test_nothing_bridges_a_gap(method):
    two_pieces = np.concatenate([hexagon(4, 4), hexagon(4, 4) + np.array([1500.0, 0.0])])
    assert adjacency(two_pieces, method=method)[:16, 16:].sum() == 0


def test_a_given_longest_edge_lets_the_triangulation_bridge_it():
    two_pieces = np.concatenate([hexagon(4, 4), hexagon(4, 4) + np.array([1500.0, 0.0])])
    assert adjacency(two_pieces, method="delaunay", radius=1000.0)[:16, 16:].sum() > 0
