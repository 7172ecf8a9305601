"""A tile on the device: dense input, graph, and the counts to be explained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from clearspot.dusted.section import Section
from clearspot.dusted.tiles import Tile
from clearspot.nn.count_blocks import CountBlock, count_blocks
from clearspot.nn.count_loss import HeldOut
from clearspot.nn.neighbourhood import Neighbourhood

ROWS_PER_BLOCK = {"cpu": 512, "cuda": 4096}
"""Rows of the output layer that exist at once: enough for the dense products to run at full speed, no more."""


@dataclass(frozen=True)
class TileInput:
    """What the encoder and decoder need of a tile.

    Parameters
    ----------
    x
        Expression of core and halo, shape ``(n_spots, n_genes)``, in the precision of the dense products.
    neighbourhood
        The graph among them.
    size_factor
        Of the core spots, shape ``(n_core,)``.
    offset
        Logarithm of the factors of the tile's section, added to the mean's intercepts, shape ``(n_genes,)``; ``None``
        where the model is of one section.
    """

    x: Tensor
    neighbourhood: Neighbourhood
    size_factor: Tensor
    offset: Tensor | None = None


@dataclass(frozen=True)
class TileCounts:
    """The counts of a tile's core, as the loss takes them.

    Parameters
    ----------
    blocks
        Training counts.
    size_factor
        Of the core spots, shape ``(n_core,)``.
    held_out
        Held-out counts, if any.
    """

    blocks: list[CountBlock]
    size_factor: Tensor
    held_out: HeldOut | None


def tile_input(section: Section, tile: Tile, device: torch.device, compute: torch.dtype) -> TileInput:
    """Make a tile's input dense and bring it to the device."""
    x = torch.from_numpy(section.expression(tile.spots).toarray())
    offset = None
    if section.study is not None:
        # a tile lies within one section
        factors = section.study.factors[section.study.code[tile.core[0]]]
        offset = torch.from_numpy(np.log(factors, dtype=np.float32)).to(device)
    return TileInput(
        x=x.to(device=device, dtype=compute),
        neighbourhood=Neighbourhood.from_graph(tile.subgraph(section.graph)).to(device),
        size_factor=torch.from_numpy(section.size_factor[tile.core].astype(np.float32)).to(device),
        offset=offset,
    )


def tile_counts(
    section: Section, tile: Tile, device: torch.device, held_out: sp.csr_matrix | None, ratio: float
) -> TileCounts:
    """Bring the counts of a tile's core to the device.

    Parameters
    ----------
    section, tile
        The section and the tile of it.
    device
        Where to.
    held_out
        Held-out counts of the whole section, or ``None``.
    ratio
        Held-out counts expected per training count.
    """
    rows = ROWS_PER_BLOCK[device.type]
    size_factor = torch.from_numpy(section.size_factor[tile.core].astype(np.float32))
    blocks = count_blocks(section.counts[tile.core], size_factor, rows, device)
    if held_out is None:
        return TileCounts(blocks, size_factor.to(device), None)
    return TileCounts(
        blocks, size_factor.to(device), HeldOut(count_blocks(held_out[tile.core], size_factor, rows, device), ratio)
    )
