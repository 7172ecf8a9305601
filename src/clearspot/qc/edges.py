"""How counts change with the distance from the tissue's edge, where RNA diffuses away and tissue lifts off."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from clearspot import keys
from clearspot.graph.lattice import find_spacing

_LONGEST: Final = 30
_INTERIOR: Final = 3
_FEWEST: Final = 10


def steps_from_edge(coordinates: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Number of spots between each spot and the edge of the tissue.

    A spot that lacks a neighbour of its lattice is at the edge (0): the tissue's, a hole's or the capture area's.

    Parameters
    ----------
    coordinates
        N x 2.

    Returns
    -------
    N steps (infinite in a piece without an edge); ``None`` off a lattice, where an edge is not defined.
    """
    if len(coordinates) < 2:
        return None
    spacing = find_spacing(coordinates)
    if spacing.lattice == "irregular":
        return None
    pairs = cKDTree(coordinates).query_pairs(spacing.radius, output_type="ndarray")
    degree = np.bincount(pairs.ravel(), minlength=len(coordinates))
    edge = np.flatnonzero(degree < spacing.degree)
    if not edge.size:
        return np.full(len(coordinates), np.inf)
    graph = csr_matrix((np.ones(len(pairs), dtype=np.float32), pairs.T), shape=(len(coordinates),) * 2)
    steps: NDArray[np.float64] = dijkstra(graph, directed=False, indices=edge, unweighted=True, min_only=True)
    return steps


def add_edge_curve(adata: ad.AnnData) -> tuple[dict[str, list[Any]], float | None] | None:
    """Set ``obs['edge_distance']`` (spots) in place and compare counts along it.

    Returns
    -------
    Table of distance, spots, median counts and genes (distances with fewer than 10 spots left out), and the ratio of
    the median counts at the edge to those at least three spots inside (``None`` where too few lie there). ``None``
    instead of both where the spots stand on no lattice.
    """
    steps = steps_from_edge(np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64))
    if steps is None:
        return None
    adata.obs[keys.EDGE_DISTANCE] = steps.astype(np.float32)
    total = adata.obs[keys.TOTAL_COUNTS].to_numpy(dtype=float)
    genes = adata.obs[keys.N_GENES].to_numpy(dtype=float)
    table: dict[str, list[Any]] = {"distance_spots": [], "n_spots": [], "median_counts": [], "median_genes": []}
    for distance in range(_LONGEST + 1):
        here = steps == distance
        if here.sum() < _FEWEST:
            continue
        row = (distance, int(here.sum()), float(np.median(total[here])), float(np.median(genes[here])))
        for name, value in zip(table, row, strict=True):
            table[name].append(value)
    at_edge, inside = total[steps == 0], total[steps >= _INTERIOR]
    enough = at_edge.size >= _FEWEST and inside.size >= _FEWEST
    return table, float(np.median(at_edge) / np.median(inside)) if enough else None
