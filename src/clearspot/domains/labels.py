"""Labels of domains: names by size, and a spatial majority vote."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, spmatrix


def by_size(codes: NDArray[np.integer]) -> NDArray[np.intp]:
    """Renumber labels from the largest (0) to the smallest; equal sizes keep their order."""
    _, compact = np.unique(codes, return_inverse=True)
    order = np.argsort(-np.bincount(compact), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return place[compact]


def categorical(codes: NDArray[np.integer], rows: NDArray[np.intp], n_spots: int) -> pd.Categorical:
    """Labels ``1``, ``2``, ... of some spots among all of them; the others' are missing.

    Parameters
    ----------
    codes
        n labels, 0, 1, ... (none left out).
    rows
        Positions of those spots among all ``n_spots``.
    n_spots
        Number of all spots.
    """
    everywhere = np.full(n_spots, -1)
    everywhere[rows] = codes
    return pd.Categorical.from_codes(everywhere, categories=[str(i + 1) for i in range(int(codes.max()) + 1)])


def majority_vote(codes: NDArray[np.integer], connectivities: spmatrix) -> NDArray[np.intp]:
    """Give each spot the label that more than half of its neighbours share, where there is one.

    Parameters
    ----------
    codes
        n labels, 0, 1, ...
    connectivities
        n x n graph.
    """
    n_labels = int(codes.max()) + 1
    one_hot = csr_matrix((np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), n_labels))
    votes = np.asarray((csr_matrix(connectivities) @ one_hot).todense())
    degree = votes.sum(axis=1)
    return np.where(votes.max(axis=1) > degree / 2, votes.argmax(axis=1), codes).astype(np.intp)
