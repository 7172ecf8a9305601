"""Edge by edge against squidpy's builders, where no two distances tie."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.graph.embed import symmetric_graph
from clearspot.graph.lattice import find_spacing
from clearspot.graph.strategies import delaunay_edges, grid_edges, knn_edges, radius_edges
from tests.helpers.sections import hexagon, square

with warnings.catch_warnings():
    warnings.simplefilter("ignore", SyntaxWarning)  # squidpy 1.8 has docstring placeholders its template engine rejects
    from squidpy.gr.neighbors import DelaunayBuilder, GridBuilder, KNNBuilder, RadiusBuilder


def scattered(seed):
    return np.random.default_rng(seed).uniform(0, 5000, size=(400, 2))


def jittered(lattice, seed=0):
    """Lattice of which no two distances are equal."""
    return lattice + np.random.default_rng(seed).normal(0, 4, size=lattice.shape)


POINTS = {
    "scattered": scattered(0),
    "scattered again": scattered(1),
    "hexagonal, uneven": jittered(hexagon(18, 20)),
    "square, uneven": jittered(square(18, 20)),
    "hexagonal with holes": jittered(hexagon(18, 20))[np.arange(360) % 7 > 0],
}
LATTICES = {"hexagonal": hexagon(18, 20), "square": square(18, 20)}


def pairs(matrix):
    """Edges of a matrix in both directions, without the diagonal."""
    matrix = csr_matrix(matrix)
    both = matrix + matrix.T
    both.setdiag(0)
    both.eliminate_zeros()
    return set(zip(*both.nonzero(), strict=True))


def same(edges, coordinates, builder):
    mine, _ = symmetric_graph(edges, coordinates)
    theirs, _ = builder.build(coordinates)
    assert pairs(mine) == pairs(theirs)
    assert mine.nnz


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("k", [1, 6, 15])
def test_nearest_neighbours(name, k):
    same(knn_edges(POINTS[name], k), POINTS[name], KNNBuilder(n_neighs=k))


@pytest.mark.parametrize("name", [*POINTS, *LATTICES])
@pytest.mark.parametrize("degree", [4, 6, 18])
def test_radius(name, degree):
    coordinates = (POINTS | LATTICES)[name]
    radius = find_spacing(coordinates, degree).radius
    same(radius_edges(coordinates, radius), coordinates, RadiusBuilder(radius=radius))


@pytest.mark.parametrize("name", [*POINTS, *LATTICES])
def test_grid(name):
    coordinates = (POINTS | LATTICES)[name]
    degree = find_spacing(coordinates).degree
    same(grid_edges(coordinates, degree), coordinates, GridBuilder(n_neighs=degree))


@pytest.mark.parametrize("name", [*POINTS, "hexagonal"])
@pytest.mark.parametrize("longest", [1.25, 1e6])
def test_delaunay(name, longest):
    coordinates = (POINTS | LATTICES)[name]
    # Without a limit the hull of an exact lattice has slivers along its borders, which squidpy keeps.
    longest = 1.25 * find_spacing(coordinates).radius if name in LATTICES else longest * 140
    same(delaunay_edges(coordinates, longest), coordinates, DelaunayBuilder(radius=longest))


def test_lengths_are_squidpys():
    coordinates = POINTS["scattered"]
    _, mine = symmetric_graph(radius_edges(coordinates, 300.0), coordinates)
    _, theirs = RadiusBuilder(radius=300.0).build(coordinates)
    assert abs(mine - theirs).max() < 1e-9
