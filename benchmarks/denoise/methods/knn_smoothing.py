"""kNN-smoothing (Wagner, Yan and Yanai 2018, version 2): stepwise sums over nearest spots in expression."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sections import Case
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from methods.common import Denoised

NEIGHBOURS = (7, 15, 31)
MORE_NEIGHBOURS = (63, 127, 255, 511)
"""Besides, on bins and cells."""
COMPONENTS = 10


def knn_smoothing(case: Case, seed: int) -> list[Denoised]:
    """Neighbours are looked for in the Freeman-Tukey transform of what was smoothed so far, 1, 3, 7, ... of them."""
    counts = case.section.counts.toarray().astype(np.float64)
    wanted = NEIGHBOURS + (MORE_NEIGHBOURS if case.many else ())
    size_factor = case.section.size_factor.astype(np.float64)
    smoothed, depth, answers = counts, size_factor, []
    known = 1
    while known <= max(wanted):
        rates = smoothed / depth[:, None]
        transformed = np.sqrt(rates) + np.sqrt(rates + 1)
        components = PCA(min(COMPONENTS, *counts.shape), random_state=seed).fit_transform(transformed)
        search = NearestNeighbors(n_neighbors=min(known + 1, len(counts))).fit(components)
        near = search.kneighbors(components, return_distance=False)
        ends = np.arange(0, near.size + 1, near.shape[1])
        smoothed = sp.csr_matrix((np.ones(near.size), near.ravel(), ends), shape=(len(counts), len(counts))) @ counts
        depth = size_factor[near].sum(axis=1)
        if known in wanted:
            answers.append(Denoised(smoothed / depth[:, None], variant=f"k={known}"))
        known = 2 * known + 1
    return answers
