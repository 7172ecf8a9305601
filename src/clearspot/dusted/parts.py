"""A part of a section that stands alone: some spots, what their outputs depend on, and the tiles they are cut into.

A large section is trained on part by part: one part, one step of the optimiser. What a part gives does not depend on
the tiles that it is cut into, and so not on the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from clearspot.dusted.section import Section
from clearspot.dusted.tiles import Tile, halved, with_halo


@dataclass(frozen=True)
class Part:
    """Some spots of a section as a section of their own.

    Parameters
    ----------
    section
        Core and halo; without positions, as it is cut already.
    tiles
        Partition of the core.
    spots
        Numbers of the part's spots in the whole section.
    n_core
        Number of core spots; they come first.
    """

    section: Section
    tiles: list[Tile]
    spots: np.ndarray
    n_core: int

    def rows(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        """Rows of its spots in a matrix of the whole section."""
        return counts[self.spots]


def spot_batches(positions: np.ndarray, most: int, code: np.ndarray | None = None) -> list[np.ndarray]:
    """Cut the spots of a section into compact pieces of at most ``most``; each ascending.

    Parameters
    ----------
    positions
        Shape ``(n_spots, 2)``.
    most
        Most spots of a piece.
    code
        Section of each spot where they are several: no piece has spots of two.
    """
    code = np.zeros(len(positions), dtype=np.intp) if code is None else code
    return [piece for one in np.unique(code) for piece in halved(positions, np.flatnonzero(code == one), most)]


def part_of(section: Section, cores: Sequence[np.ndarray], max_spots: int) -> Part:
    """Cut a part out of a section.

    Parameters
    ----------
    section
        With positions.
    cores
        Spots that the part consists of, in pieces that do not overlap; a piece of more than ``max_spots`` spots becomes
        several tiles.
    max_spots
        Most core spots of a tile.
    """
    if section.positions is None:
        raise ValueError("a section without positions cannot be cut into parts")
    pieces = [piece for core in cores for piece in halved(section.positions, core, max_spots)]
    tiles = [with_halo(section.graph, piece) for piece in pieces]
    # in an order that does not depend on the tiles: what is drawn for the part's counts is drawn in it
    core = np.sort(np.concatenate(pieces))
    halo = np.setdiff1d(np.concatenate([tile.spots for tile in tiles]), core)
    spots = np.concatenate([core, halo])
    number = np.empty(section.n_spots, dtype=np.intp)
    number[spots] = np.arange(len(spots))
    alone = replace(
        section,
        counts=section.counts[spots],
        input_scale=section.input_scale[spots],
        size_factor=section.size_factor[spots],
        graph=section.graph[spots][:, spots],
        positions=None,
        study=None if section.study is None else replace(section.study, code=section.study.code[spots]),
    )
    return Part(alone, [Tile(number[tile.spots], tile.n_core) for tile in tiles], spots, len(core))
