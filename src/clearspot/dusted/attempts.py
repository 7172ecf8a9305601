"""Smaller tiles for another attempt at what did not fit into memory."""

from __future__ import annotations

from dataclasses import replace

import anndata as ad

from clearspot import keys
from clearspot.dusted.from_anndata import section_size
from clearspot.dusted.params import DustedParams
from clearspot.learning.device import SMALLEST_TILE, resolve_device, spots_that_fit


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
