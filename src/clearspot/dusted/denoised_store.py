"""Where the denoised values go: a dense layer, or a file of their own for a section too large for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import anndata as ad
import h5py
import numpy as np

from clearspot import keys
from clearspot.dusted.inference import MeanBlock
from clearspot.io.atomic import atomic_path
from clearspot.io.plain_text import plain_text

ROWS_PER_CHUNK = 64


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
    adata: ad.AnnData, spots: np.ndarray, genes: np.ndarray, blocks: Iterable[MeanBlock], path: Path
) -> None:
    """Write the denoised values of the modelled spots and genes to an ``.h5ad`` of their own, block by block.

    Parameters
    ----------
    adata, spots, genes, blocks
        As in :func:`fill_layer`; the file's ``X`` holds the values.
    path
        Target, whole or absent.
    """
    shape = (len(spots), len(genes))
    shell = ad.AnnData(obs=adata.obs.iloc[spots], var=adata.var.iloc[genes])
    if keys.SPATIAL in adata.obsm:
        shell.obsm[keys.SPATIAL] = np.asarray(adata.obsm[keys.SPATIAL])[spots]
    with plain_text(), atomic_path(path) as partial:
        shell.write_h5ad(partial)
        with h5py.File(partial, "r+") as file:
            if "X" in file:
                del file["X"]
            values = file.create_dataset(
                "X", shape, dtype=np.float32, chunks=(min(ROWS_PER_CHUNK, shape[0]), shape[1]), compression="lzf"
            )
            values.attrs["encoding-type"] = "array"
            values.attrs["encoding-version"] = "0.2.0"
            for block in blocks:
                order = np.argsort(block.spots)
                rows = block.spots[order]
                means = block.mean[order]
                # HDF5 writes runs of rows; scattered rows one by one would read and write their chunk each time
                for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(rows) > 1) + 1):
                    values[rows[run[0]] : rows[run[-1]] + 1] = means[run]
