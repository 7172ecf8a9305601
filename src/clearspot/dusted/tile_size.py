"""How many spots a tile may have: what the memory holds, and smaller ones where that was too much."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import anndata as ad
import torch

from clearspot import keys
from clearspot.caller import by_caller
from clearspot.dusted.from_anndata import section_size
from clearspot.dusted.params import DustedParams
from clearspot.learning.device import resolve_device
from clearspot.learning.memory import free_memory_bytes

SMALLEST_TILE: Final = 256
"""Spots; cutting further costs more halo than it saves memory."""

_SHARE_OF_FREE_MEMORY: Final = 0.35
_LARGEST_CPU_TILE_BYTES: Final = 4 * 2**30


def tile_option() -> str:
    """What a user sets to make tiles smaller."""
    in_pipeline = "--dusted_tile_spots, which is halved automatically when the task is retried"
    return by_caller("max_spots_per_tile", "--max-spots-per-tile", in_pipeline)


def spots_that_fit(n_genes: int, hidden: int, device: torch.device) -> int:
    """Number of spots whose tile fits into the free memory with room to spare.

    Counted are the dense input, the hidden layers with their gradients, and the counts above zero (a tenth of all).
    """
    bytes_per_spot = 4 * n_genes + 64 * hidden + 2 * n_genes
    budget = _SHARE_OF_FREE_MEMORY * free_memory_bytes(device)
    if device.type != "cuda":
        budget = min(budget, _LARGEST_CPU_TILE_BYTES)
    return max(SMALLEST_TILE, int(budget / bytes_per_spot))


def with_smaller_tiles(adata: ad.AnnData, sample: str, params: DustedParams, attempt: int) -> DustedParams:
    """Halve the tiles once for every attempt after the first.

    The size that is halved is the one given or else found from the memory, but at most the section: a section that was
    a single tile is cut on the second attempt, however much memory seemed free. Tiles are exact, so the result is that
    of the first attempt (docs/methods/dusted.md).

    Parameters
    ----------
    adata, sample, params
        As for :func:`clearspot.dusted.denoise`.
    attempt
        1 for the first.

    Returns
    -------
    The settings with ``max_spots_per_tile`` set; as they are on the first attempt, and where there are no positions to
    cut by.
    """
    if attempt == 1 or keys.SPATIAL not in adata.obsm:
        return params
    n_spots, n_genes = section_size(adata, sample, params)
    most = params.max_spots_per_tile or spots_that_fit(n_genes, params.hidden, resolve_device(params.device))
    most = min(most, n_spots)
    return replace(params, max_spots_per_tile=max(most >> (attempt - 1), min(most, SMALLEST_TILE)))
