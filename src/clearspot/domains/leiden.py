"""Domains as Leiden communities of the nearest-neighbour graph in the latent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS: Final = 15
_STEPS: Final = 16
_RESOLUTIONS: Final = (0.01, 8.0)


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
    # Exact neighbours: scanpy 1.11 takes pynndescent above 8,192 spots, and cannot read what pynndescent 0.7 returns.
    sc.pp.neighbors(
        cells,
        n_neighbors=min(_NEIGHBOURS, len(latent) - 1),
        use_rep="latent",
        transformer="sklearn",
        random_state=seed,
    )
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


def _leiden(cells: ad.AnnData, resolution: float, seed: int) -> NDArray[np.intp]:
    import scanpy as sc

    sc.tl.leiden(cells, resolution=resolution, flavor="igraph", n_iterations=2, directed=False, random_state=seed)
    return cells.obs["leiden"].cat.codes.to_numpy().astype(np.intp)


def _number(codes: NDArray[np.intp]) -> int:
    return int(np.unique(codes).size)
