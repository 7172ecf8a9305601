"""From a graph over some spots to a matrix over all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix


def symmetric_graph(
    adjacency: csr_matrix, coordinates: NDArray[np.float64], rows: NDArray[np.intp], n_spots: int
) -> tuple[csr_matrix, csr_matrix]:
    """Make a graph symmetric and place it among all spots.

    Parameters
    ----------
    adjacency
        n x n; an edge in one direction is an edge in both.
    coordinates
        N x 2, of all spots.
    rows
        Positions (n) of the graph's spots among all spots.
    n_spots
        N.

    Returns
    -------
    Connectivities (ones, float32) and Euclidean distances (float64, in the coordinates' unit), both N x N, symmetric,
    without a diagonal; rows of spots that are not in the graph are empty.
    """
    edges = coo_matrix(adjacency)
    one_way = edges.row != edges.col
    start, end = rows[edges.row[one_way]], rows[edges.col[one_way]]
    both = (np.concatenate([start, end]), np.concatenate([end, start]))
    connectivities = csr_matrix((np.ones(both[0].size, dtype=np.float32), both), shape=(n_spots, n_spots))
    connectivities.sum_duplicates()
    connectivities.data[:] = 1.0
    from_row = np.repeat(np.arange(n_spots), np.diff(connectivities.indptr))
    lengths = np.linalg.norm(coordinates[from_row] - coordinates[connectivities.indices], axis=1)
    distances = csr_matrix(
        (lengths, connectivities.indices.copy(), connectivities.indptr.copy()), shape=connectivities.shape
    )
    return connectivities, distances
