"""Where the denoised values go: a dense layer, or a file of their own for a section too large for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import scipy.sparse as sp

from clearspot import keys
from clearspot.dusted.inference import MeanBlock
from clearspot.dusted.params import DustedParams
from clearspot.dusted.tiles import Tile, with_halo
from clearspot.io.atomic import atomic_path
from clearspot.io.denoised_file import write_rows
from clearspot.io.plain_text import plain_text

LAYER_UP_TO = 5 * 2**28
"""Bytes of the largest layer that is written where the settings say nothing: that of a full Visium slide of 11 mm. On
Visium HD most of a layer would be missing values of genes that are not modelled."""

MAX_LAYER_BYTES = 4 * 2**30
"""Bytes of the largest layer where there is no file to write to."""


SPOTS_OF_A_BAND = 20_000
"""Spots of a band, halo included, that fit into any memory."""


def goes_to_file(adata: ad.AnnData, params: DustedParams, path: Path | None) -> bool:
    """Whether the denoised values become a file of their own.

    Parameters
    ----------
    adata
        The section.
    params
        ``denoised_store`` is read.
    path
        The file, if the caller named one.

    Raises
    ------
    ValueError
        If there must be a file and the caller named none.
    """
    size = 4 * adata.n_obs * adata.n_vars
    if params.denoised_store == "layer":
        return False
    if path is not None:
        return params.denoised_store == "file" or size > LAYER_UP_TO
    if params.denoised_store == "file":
        raise ValueError("denoised_store='file' requires denoised_path")
    if size > MAX_LAYER_BYTES:
        raise ValueError(
            f"a layer of {adata.n_obs:,} x {adata.n_vars:,} values needs {size / 2**30:.0f} GiB: set denoised_path, or "
            "denoised_store='layer' to have it in memory"
        )
    return False


def fill_layer(adata: ad.AnnData, spots: np.ndarray, genes: np.ndarray, blocks: Iterable[MeanBlock]) -> None:
    """Set ``layers['denoised']``: float32, NaN for spots and genes that were not modelled.

    Parameters
    ----------
    adata
        The section, changed in place.
    spots, genes
        Rows and columns that were modelled.
    blocks
        Means; their spot numbers count within ``spots``.
    """
    layer = np.full(adata.shape, np.nan, dtype=np.float32)
    for block in blocks:
        layer[np.ix_(spots[block.spots], genes)] = block.mean
    adata.layers[keys.DENOISED] = layer


def without_stripes(blocks: Iterable[MeanBlock], factor: np.ndarray) -> Iterator[MeanBlock]:
    """Take the stripes of a Visium HD slide off the means.

    The model is trained on whole counts, whose library sizes hold the stripes; a stripe is one factor on all genes of a
    bin, so that the mean over it is the mean of a bin without stripes.

    Parameters
    ----------
    blocks
        Means.
    factor
        Shape ``(n_modelled,)``: stripes of each modelled bin.
    """
    for block in blocks:
        of_bin = factor[block.spots][:, None]
        yield replace(block, mean=block.mean / of_bin, expected=block.expected / of_bin)


def write_file(
    adata: ad.AnnData,
    spots: np.ndarray,
    genes: np.ndarray,
    blocks: Iterable[MeanBlock],
    path: Path,
    order: np.ndarray | None = None,
) -> None:
    """Write the denoised values of the modelled spots and genes to an ``.h5ad`` of their own, chunk by chunk.

    Parameters
    ----------
    adata, spots, genes, blocks
        As in :func:`fill_layer`; the file's ``X`` holds the values, rounded
        (:func:`clearspot.io.denoised_file.write_rows`).
    path
        Target, whole or absent.
    order
        Numbers within ``spots`` in the order of the blocks, which is that of the rows of the file. ``None``: ascending.
    """
    order = np.arange(len(spots)) if order is None else order
    rows = spots[order]
    shell = ad.AnnData(obs=adata.obs.iloc[rows], var=adata.var.iloc[genes])
    if keys.SPATIAL in adata.obsm:
        shell.obsm[keys.SPATIAL] = np.asarray(adata.obsm[keys.SPATIAL])[rows]
    with plain_text(), atomic_path(path) as partial:
        shell.write_h5ad(partial, compression="gzip")
        with h5py.File(partial, "r+") as file:
            write_rows(file, (len(rows), len(genes)), _in_order(blocks, order))


def _in_order(blocks: Iterable[MeanBlock], order: np.ndarray) -> Iterator[np.ndarray]:
    """The means of the blocks, which must come in the order of the file's rows."""
    start = 0
    for block in blocks:
        stop = start + len(block.spots)
        if not np.array_equal(block.spots, order[start:stop]):
            raise ValueError("blocks are not in the order of the rows")
        start = stop
        yield block.mean


def by_rows(graph: sp.csr_matrix, tiles: list[Tile], max_spots: int) -> list[Tile]:
    """Tiles of consecutive spots, so that means come in the order of the section.

    Space Ranger lists bins row by row, so that consecutive bins are a band of the slide with a thin halo. Where the
    spots are in another order, and many of them would be in halos, the tiles stay as they are.

    Parameters
    ----------
    graph
        Symmetric adjacency of all spots, CSR.
    tiles
        A partition of the spots.
    max_spots
        Most core spots of a tile.
    """
    if len(tiles) == 1:
        return tiles
    bands = []
    for core in np.array_split(np.arange(graph.shape[0]), -(-graph.shape[0] // max_spots)):
        band = with_halo(graph, core)
        if len(band.spots) > max(2 * band.n_core, SPOTS_OF_A_BAND):
            return tiles
        bands.append(band)
    return bands
