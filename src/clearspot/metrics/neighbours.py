"""The plainest denoiser: the mean over a spot and its neighbours. What costs more has to beat it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, spmatrix


def neighbour_mean(connectivities: spmatrix, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean over each spot and the spots it touches.

    Parameters
    ----------
    connectivities
        N x N, zero or one, without a diagonal.
    values
        N x G, dense.

    Returns
    -------
    N x G; a spot without neighbours keeps its value.
    """
    graph = csr_matrix(connectivities, dtype=np.float64)
    values = np.asarray(values, dtype=np.float64)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    mean: NDArray[np.float64] = (graph @ values + values) / (degree + 1)[:, None]
    return mean
