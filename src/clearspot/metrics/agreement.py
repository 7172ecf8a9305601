"""How well labels agree: with other labels, with the space they were found in, and with their neighbourhood."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, spmatrix

_SILHOUETTE_SPOTS: Final = 5_000
"""Spots of which the silhouette is computed: it needs all their distances."""


def label_agreement(truth: Any, labels: Any) -> dict[str, float | None]:
    """Adjusted Rand index, normalised mutual information and homogeneity, over spots that have both labels.

    Homogeneity is not symmetric: it asks whether each *label* holds members of a single *true* class.

    Parameters
    ----------
    truth, labels
        N labels each; missing ones are left out.

    Returns
    -------
    ``ari``, ``nmi``, ``homogeneity``, and ``n_spots`` that they are from; measures are ``None`` without any.
    """
    from sklearn.metrics import adjusted_rand_score, homogeneity_score, normalized_mutual_info_score

    first, second = pd.Series(np.asarray(truth, dtype=object)), pd.Series(np.asarray(labels, dtype=object))
    both = (first.notna() & second.notna()).to_numpy()
    if not both.any():
        return {"ari": None, "nmi": None, "homogeneity": None, "n_spots": 0}
    first, second = first[both].astype(str), second[both].astype(str)
    return {
        "ari": float(adjusted_rand_score(first, second)),
        "nmi": float(normalized_mutual_info_score(first, second)),
        "homogeneity": float(homogeneity_score(first, second)),
        "n_spots": int(both.sum()),
    }


def silhouette(space: NDArray[np.floating], codes: NDArray[np.integer], seed: int = 0) -> float | None:
    """Mean silhouette of labels in a space (of 5,000 spots drawn by ``seed`` where there are more).

    Returns
    -------
    Between -1 and 1; ``None`` where there are fewer than two labels or every spot has its own.
    """
    from sklearn.metrics import silhouette_score

    if len(codes) > _SILHOUETTE_SPOTS:
        drawn = np.random.default_rng(seed).choice(len(codes), _SILHOUETTE_SPOTS, replace=False)
        space, codes = space[drawn], codes[drawn]
    if not 1 < np.unique(codes).size < len(codes):
        return None
    return float(silhouette_score(space, codes))


def neighbour_agreement(connectivities: spmatrix, codes: NDArray[np.integer]) -> float | None:
    """Share of edges whose two spots have the same label; ``None`` without edges.

    Parameters
    ----------
    connectivities
        N x N.
    codes
        N labels.
    """
    edges = coo_matrix(connectivities)
    return float((codes[edges.row] == codes[edges.col]).mean()) if edges.nnz else None
