"""Pieces of tissue: the connected components of the graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components


def find_pieces(connectivities: csr_matrix, in_graph: NDArray[np.bool_]) -> tuple[pd.Categorical, NDArray[np.intp]]:
    """Name the connected components ``1``, ``2``, ... from the largest to the smallest.

    Parameters
    ----------
    connectivities
        N x N, symmetric.
    in_graph
        Mask (N) of the spots that belong to the graph; an isolated one is a piece of its own.

    Returns
    -------
    Piece of each spot (missing for spots outside the graph), and the number of spots in each piece.
    """
    _, label = connected_components(connectivities[in_graph][:, in_graph], directed=False)
    sizes = np.bincount(label)
    order = np.argsort(-sizes, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    codes = np.full(in_graph.size, -1)
    codes[in_graph] = place[label]
    names = [str(number + 1) for number in range(order.size)]
    return pd.Categorical.from_codes(codes, categories=names), sizes[order]
