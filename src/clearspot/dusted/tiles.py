"""Spatial tiles that give every spot exactly the value that the whole section would.

Each of the model's four graph layers lets a spot see one ring of neighbours further. A tile that carries four rings of
halo around its core therefore holds all that the core's outputs, and the loss on them, depend on: there is no sampling
error, only the halo's extra work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

GRAPH_LAYERS = 4
"""Two in the encoder, two in the decoder: the width of the halo in hops."""


@dataclass(frozen=True)
class Tile:
    """Some spots and all that their outputs depend on.

    Parameters
    ----------
    spots
        Spot numbers in the section: the core first, ascending, then the halo, ascending.
    n_core
        Number of core spots.
    """

    spots: np.ndarray
    n_core: int

    @property
    def core(self) -> np.ndarray:
        """Spot numbers of the core."""
        return self.spots[: self.n_core]

    def subgraph(self, graph: sp.csr_matrix) -> sp.csr_matrix:
        """Adjacency among the tile's spots."""
        return graph[self.spots][:, self.spots]


def make_tiles(
    graph: sp.csr_matrix, positions: np.ndarray | None, max_spots: int, section: np.ndarray | None = None
) -> list[Tile]:
    """Cut a section, or each of several, into tiles.

    Parameters
    ----------
    graph
        Symmetric adjacency of all spots, CSR.
    positions
        Spot positions, shape ``(n_spots, 2)``; needed only if there are more than ``max_spots`` spots.
    max_spots
        Most core spots of a tile.
    section
        Section of each spot, 0, 1, ..., where there are several: no tile has spots of two.

    Returns
    -------
    Tiles whose cores are a partition of the spots; a single one a section, without halo, if it all fits.

    Raises
    ------
    ValueError
        If tiles are needed and there are no positions to cut by.
    """
    if section is not None:
        tiles = []
        for code in np.unique(section):
            rows = np.flatnonzero(section == code)
            place = None if positions is None else positions[rows]
            tiles += [
                Tile(rows[tile.spots], tile.n_core) for tile in make_tiles(graph[rows][:, rows], place, max_spots)
            ]
        return tiles
    n_spots = graph.shape[0]
    if n_spots <= max_spots:
        return [Tile(np.arange(n_spots), n_spots)]
    if positions is None:
        raise ValueError(f"{n_spots} spots do not fit into one tile of {max_spots}, and tiling requires spot positions")
    return [with_halo(graph, core) for core in halved(positions, np.arange(n_spots), max_spots)]


def halved(positions: np.ndarray, spots: np.ndarray, max_spots: int) -> list[np.ndarray]:
    """Cut some spots at the median of the longer side until every piece has at most ``max_spots``; each ascending."""
    if len(spots) <= max_spots:
        return [np.sort(spots)]
    here = positions[spots]
    axis = int(np.argmax(np.ptp(here, axis=0)))
    order = np.argsort(here[:, axis], kind="stable")
    middle = len(spots) // 2
    return halved(positions, spots[order[:middle]], max_spots) + halved(positions, spots[order[middle:]], max_spots)


def with_halo(graph: sp.csr_matrix, core: np.ndarray) -> Tile:
    """Add to some spots (ascending) all that their outputs depend on."""
    reached = core
    frontier = core
    for _ in range(GRAPH_LAYERS):
        frontier = np.setdiff1d(graph[frontier].indices, reached)
        reached = np.union1d(reached, frontier)
    return Tile(np.concatenate([core, np.setdiff1d(reached, core)]), len(core))
