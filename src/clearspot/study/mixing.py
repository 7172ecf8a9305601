"""How well the batches of a study are mixed in a latent."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, eye_array, spmatrix

NEIGHBOURS: Final = 15

REACH: Final = 4
"""Steps in the graph within which two spots share measurements: a latent averages over two steps from each spot."""

SPOTS: Final = 5_000
"""Spots whose neighbours are looked up, drawn at random where there are more."""


def mixing(
    latent: NDArray[np.floating], batch: NDArray[np.intp], connectivities: spmatrix, seed: int = 0
) -> float | None:
    """Share of nearest neighbours that are of another batch, over the share that chance would give.

    Spots near each other on the tissue are left out: they are alike because the same counts went into both.

    Parameters
    ----------
    latent
        Shape ``(n_spots, d)``, finite.
    batch
        Batch of each spot (or its section), shape ``(n_spots,)``.
    connectivities
        Graph of all spots, without an edge between sections.
    seed
        Seed of the draw.

    Returns
    -------
    0: batches are apart; 1: mixed as if drawn at random. ``None`` with fewer than two batches.
    """
    from sklearn.neighbors import NearestNeighbors

    n_spots = len(latent)
    if np.unique(batch).size < 2:
        return None
    asked = np.arange(n_spots)
    if n_spots > SPOTS:
        asked = np.sort(np.random.default_rng(seed).choice(n_spots, SPOTS, replace=False))
    near = _within_reach(connectivities, asked)
    most = int(np.diff(near.indptr).max())
    finder = NearestNeighbors(n_neighbors=min(NEIGHBOURS + most, n_spots)).fit(latent)
    of_other = found = by_chance = 0.0
    sizes = np.bincount(batch)
    for row, candidates in enumerate(finder.kneighbors(latent[asked], return_distance=False)):
        own, close = batch[asked[row]], near.indices[near.indptr[row] : near.indptr[row + 1]]
        taken = candidates[~np.isin(candidates, close)][:NEIGHBOURS]
        of_other += float((batch[taken] != own).sum())
        found += len(taken)
        by_chance += len(taken) * float(n_spots - sizes[own]) / max(n_spots - len(close), 1)
    return of_other / by_chance if found else None


def _within_reach(connectivities: spmatrix, asked: NDArray[np.intp]) -> csr_matrix:
    """Spots within ``REACH`` steps of each asked one, itself included: rows of a matrix."""
    step = csr_matrix(connectivities, dtype=bool) + eye_array(connectivities.shape[0], dtype=bool, format="csr")
    near = csr_matrix(step)[asked]
    for _ in range(REACH - 1):
        near = csr_matrix((near @ step).astype(bool))
    return near
