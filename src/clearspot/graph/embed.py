"""From edges to the two matrices of a graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix


def symmetric_graph(edges: NDArray[np.intp], coordinates: NDArray[np.float64]) -> tuple[csr_matrix, csr_matrix]:
    """Matrices of a graph given by its edges.

    Parameters
    ----------
    edges
        m x 2 positions among all spots; an edge in one direction, or given twice, is one edge in both.
    coordinates
        N x 2, of all spots.

    Returns
    -------
    Connectivities (ones, float32) and Euclidean distances (float64, in the coordinates' unit), both N x N, symmetric,
    without a diagonal; rows of spots that have no edge are empty.
    """
    n_spots = len(coordinates)
    both = (np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]]))
    connectivities = csr_matrix((np.ones(both[0].size, dtype=np.float32), both), shape=(n_spots, n_spots))
    connectivities.sum_duplicates()
    connectivities.data[:] = 1.0
    from_row = np.repeat(np.arange(n_spots), np.diff(connectivities.indptr))
    lengths = np.linalg.norm(coordinates[from_row] - coordinates[connectivities.indices], axis=1)
    distances = csr_matrix(
        (lengths, connectivities.indices.copy(), connectivities.indptr.copy()), shape=connectivities.shape
    )
    return connectivities, distances
