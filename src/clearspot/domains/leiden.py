"""Domains as Leiden communities of the nearest-neighbour graph in the latent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

_NEIGHBOURS: Final = 15
_STEPS: Final = 16
_RESOLUTIONS: Final = (0.01, 8.0)
_EXACT_UP_TO: Final = 60_000
"""Spots whose neighbours are all compared. The comparison grows with the square of their number, and costs at this
number as much as the compilation of the approximate search."""


@dataclass(frozen=True)
class LeidenDomains:
    """Leiden communities.

    Parameters
    ----------
    codes
        Label of each spot: 0, 1, ...
    resolution
        Resolution that gave them.
    """

    codes: NDArray[np.intp]
    resolution: float


def leiden_domains(
    latent: NDArray[np.floating], n_domains: int | None = None, resolution: float = 1.0, seed: int = 0
) -> LeidenDomains:
    """Cluster spots by Leiden (igraph, two iterations) on the graph of 15 nearest neighbours.

    Parameters
    ----------
    latent
        n x d, finite.
    n_domains
        Number of domains: the resolution is searched by bisection, and the number nearest to it is returned, since not
        every number occurs. ``None``: use ``resolution``.
    resolution
        Leiden's resolution where ``n_domains`` is not given.
    seed
        Seed of the graph and of Leiden.
    """
    import scanpy as sc

    cells = ad.AnnData(obsm={"latent": np.asarray(latent, dtype=np.float32)})
    # scanpy 1.11 takes pynndescent above 8,192 spots, and cannot read what pynndescent 0.7 returns
    n_neighbors = min(_NEIGHBOURS, len(latent) - 1)
    search = "sklearn" if len(latent) <= _EXACT_UP_TO else _ApproximateNeighbours(n_neighbors, seed)
    sc.pp.neighbors(cells, n_neighbors=n_neighbors, use_rep="latent", transformer=search, random_state=seed)
    if n_domains is None:
        return LeidenDomains(_leiden(cells, resolution, seed), resolution)
    low, high = _RESOLUTIONS
    best: LeidenDomains | None = None
    for _ in range(_STEPS):
        # Geometric middle: the number of communities grows with the logarithm of the resolution.
        middle = float(np.sqrt(low * high))
        found = LeidenDomains(_leiden(cells, middle, seed), middle)
        number = _number(found.codes)
        if best is None or abs(number - n_domains) < abs(_number(best.codes) - n_domains):
            best = found
        if number == n_domains:
            break
        low, high = (middle, high) if number < n_domains else (low, middle)
    assert best is not None
    return best


class _ApproximateNeighbours:
    """Nearest neighbours by nearest-neighbour descent (pynndescent), in the form that scanpy takes them.

    Parameters
    ----------
    n_neighbors
        Neighbours of a spot, itself among them.
    seed
        Seed of the search.
    """

    def __init__(self, n_neighbors: int, seed: int):
        self._n_neighbors, self._seed = n_neighbors, seed

    def get_params(self) -> dict[str, int]:
        """What scanpy asks of a transformer."""
        return {"n_neighbors": self._n_neighbors}

    def fit_transform(self, latent: NDArray[np.floating]) -> csr_matrix:
        """Distances of each row to its neighbours; its distance to itself is among them, and 0."""
        from pynndescent import NNDescent  # compiles for half a minute

        search = NNDescent(latent, n_neighbors=self._n_neighbors, random_state=self._seed)
        indices, distances = search.neighbor_graph
        rows = np.arange(0, indices.size + 1, indices.shape[1])
        return csr_matrix((distances.ravel(), indices.ravel(), rows), shape=(len(latent), len(latent)))


def _leiden(cells: ad.AnnData, resolution: float, seed: int) -> NDArray[np.intp]:
    import scanpy as sc

    sc.tl.leiden(cells, resolution=resolution, flavor="igraph", n_iterations=2, directed=False, random_state=seed)
    return cells.obs["leiden"].cat.codes.to_numpy().astype(np.intp)


def _number(codes: NDArray[np.intp]) -> int:
    return int(np.unique(codes).size)
