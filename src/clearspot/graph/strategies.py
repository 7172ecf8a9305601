"""Who is a neighbour: four strategies, each a function from positions to edges.

They give the edges of squidpy's builders of the same names (``squidpy.gr.neighbors``, 1.8) wherever no two distances
tie. squidpy itself is not imported: that takes three times as long as all else that this step does. On a tie, where
squidpy's edges depend on how a coordinate was rounded, equal distances are treated alike.

Edges are pairs of positions in the given coordinates, shape ``(m, 2)``; a pair may come twice, in either direction.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, QhullError, cKDTree

from clearspot.graph.ties import TIE, at_most, less_than

Edges = NDArray[np.intp]
Positions = NDArray[np.float64]

_GRID_CUT: Final = 1.3
"""Neighbours on a grid are nearer than this many median distances (squidpy's number)."""


def radius_edges(coordinates: Positions, radius: float) -> Edges:
    """Every spot within a radius is a neighbour; a spot at exactly the radius is one."""
    return cKDTree(coordinates).query_pairs(at_most(radius), output_type="ndarray")


def knn_edges(coordinates: Positions, n_neighbors: int) -> Edges:
    """The k nearest spots are neighbours, however far away they are, and with the k-th all that are as near as it.

    The relation is not mutual, so once made symmetric a spot may have more than k neighbours. No spot is isolated:
    pieces of tissue that lie apart may be joined.
    """
    edges, _, _ = _nearest(coordinates, n_neighbors)
    return edges


def grid_edges(coordinates: Positions, n_neighbors: int) -> Edges:
    """Shell of a regular lattice: 6 neighbours on a hexagonal one, 4 or 8 on a square one.

    Of that many nearest spots, those further away than 1.3 times the median distance are cut, so spots at a border keep
    only their true neighbours.
    """
    edges, lengths, nearest = _nearest(coordinates, n_neighbors)
    return edges[lengths <= less_than(_GRID_CUT * float(np.median(nearest)))]


def delaunay_edges(coordinates: Positions, longest: float) -> Edges:
    """Spots whose Voronoi cells share a border are neighbours, where they are no further apart than ``longest``.

    A triangulation fills the convex hull: without a limit it would tie together what lies on two sides of a gap. Cells
    that meet in a corner only, as across the diagonal of a square, share no border; which of two such diagonals a
    triangulation draws is decided by rounding.

    Raises
    ------
    scipy.spatial.QhullError
        If there are fewer than three spots, or all are on one line.
    """
    corners, cotangents = _triangles(coordinates)
    ends = np.sort(np.concatenate([corners[:, [1, 2]], corners[:, [2, 0]], corners[:, [0, 1]]]), axis=1)
    edges, edge_of_side, sides = np.unique(ends, axis=0, return_inverse=True, return_counts=True)
    # The border between two cells is |edge| / 2 times the sum of the cotangents opposite the edge: law of sines.
    border = np.bincount(edge_of_side.ravel(), weights=cotangents.T.ravel())
    on_hull = sides == 1
    lengths = np.linalg.norm(coordinates[edges[:, 0]] - coordinates[edges[:, 1]], axis=1)
    return edges[(on_hull | (border > TIE)) & (lengths <= at_most(longest))]


def _nearest(coordinates: Positions, k: int) -> tuple[Edges, Positions, Positions]:
    """Find the k nearest spots of each (or all, if there are fewer), and those that are as near as the k-th.

    Returns
    -------
    Edges from each spot, their lengths, and the n x k nearest distances.
    """
    n_spots = len(coordinates)
    k = min(k, n_spots - 1)
    tree = cKDTree(coordinates)
    # The first is the spot itself: no two are at one place. On a lattice few spots have more ties than twice k.
    lengths, found = tree.query(coordinates, k=min(2 * k + 2, n_spots))
    nearest = lengths[:, 1 : k + 1]
    limit = at_most(1.0) * nearest[:, -1]
    near = lengths <= limit[:, None]
    near[:, 0] = False
    start, place = np.nonzero(near)
    edges = [np.column_stack([start, found[start, place]])]
    distances = [lengths[start, place]]
    if lengths.shape[1] < n_spots:
        for spot in np.flatnonzero(near[:, -1]):
            others = np.array(tree.query_ball_point(coordinates[spot], limit[spot]))
            others = others[others != spot]
            edges.append(np.column_stack([np.full(others.size, spot), others]))
            distances.append(np.linalg.norm(coordinates[others] - coordinates[spot], axis=1))
    return np.concatenate(edges), np.concatenate(distances), nearest


def _triangles(coordinates: Positions) -> tuple[NDArray[np.int_], Positions]:
    """Delaunay triangles (t x 3 corners), and the cotangent of the angle at each corner.

    Triangles of three spots on one line, which rounding puts along a straight border, are left out.
    """
    # Qhull lifts the spots onto a paraboloid: far from the origin it would lose digits.
    corners = Delaunay(coordinates - coordinates.mean(axis=0)).simplices
    first, second, third = (coordinates[corners[:, i]] for i in range(3))
    to_second, to_third, across = second - first, third - first, third - second
    twice_area = np.abs(to_second[:, 0] * to_third[:, 1] - to_second[:, 1] * to_third[:, 0])
    longest_square = np.max([(side**2).sum(axis=1) for side in (to_second, to_third, across)], axis=0)
    solid = twice_area > TIE * longest_square
    if not solid.any():
        raise QhullError("all spots are on one line")
    dots = np.column_stack(
        [
            (to_second * to_third).sum(axis=1),
            -(to_second * across).sum(axis=1),
            (to_third * across).sum(axis=1),
        ]
    )
    return corners[solid], dots[solid] / twice_area[solid, None]
