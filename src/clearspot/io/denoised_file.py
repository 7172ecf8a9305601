"""Denoised values that stand in a file of their own (``<sample>.denoised.h5ad``), read a few genes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem
from numpy.typing import NDArray

ROWS_PER_CHUNK: Final = 8192
GENES_PER_CHUNK: Final = 16
"""Half a megabyte: a few genes of all spots are read without the others."""

BITS: Final = 10
"""Bits of the mantissa that are kept: values are within 0.05 % of the model's, and take a third of the room."""


def write_rows(file: h5py.File, shape: tuple[int, int], blocks: Iterable[NDArray[np.float32]]) -> None:
    """Write ``X`` of an open ``.h5ad`` from blocks of rows, as a dense matrix that is compressed in chunks.

    Compression is gzip, which every HDF5 library reads. No chunk is written twice.

    Parameters
    ----------
    file
        Open for writing; an ``X`` that is there is replaced.
    shape
        Spots and genes.
    blocks
        Consecutive rows, together all of them.

    Raises
    ------
    ValueError
        If there are more or fewer rows.
    """
    if "X" in file:
        del file["X"]
    chunks = (min(ROWS_PER_CHUNK, shape[0]), min(GENES_PER_CHUNK, shape[1]))
    values = file.create_dataset(
        "X", shape, dtype=np.float32, chunks=chunks, compression="gzip", compression_opts=1, shuffle=True
    )
    values.attrs["encoding-type"] = "array"
    values.attrs["encoding-version"] = "0.2.0"
    held = np.empty((min(ROWS_PER_CHUNK, shape[0]), shape[1]), dtype=np.float32)
    written = filled = 0
    for block in blocks:
        start = 0
        while start < len(block):
            part = block[start : start + len(held) - filled]
            held[filled : filled + len(part)] = rounded(part)
            filled, start = filled + len(part), start + len(part)
            if filled == len(held) or written + filled == shape[0]:
                values[written : written + filled] = held[:filled]
                written, filled = written + filled, 0
    if written + filled != shape[0]:
        raise ValueError(f"{written + filled} of {shape[0]} rows")


def rounded(values: NDArray[np.float32], bits: int = BITS) -> NDArray[np.float32]:
    """Round to the nearest number whose mantissa ends in zeros, so that the values can be compressed.

    Parameters
    ----------
    values
        Any shape; NaN and infinity stay.
    bits
        Bits of the mantissa (of 23) that are kept.
    """
    raw = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    dropped = 23 - bits
    up = np.uint32((1 << (dropped - 1)) - 1) + ((raw >> np.uint32(dropped)) & np.uint32(1))
    result = ((raw + up) & np.uint32(0xFFFFFFFF ^ ((1 << dropped) - 1))).view(np.float32)
    return np.where(np.isfinite(values), result, values)


def read_denoised(path: Path | str, spots: pd.Index, genes: Sequence[str]) -> NDArray[np.float32]:
    """Return denoised counts of the spots and genes named, in that order.

    Parameters
    ----------
    path
        File with the modelled spots and genes, values in ``X`` (dense).
    spots, genes
        Names; those that the file does not have were not modelled.

    Returns
    -------
    Shape ``(len(spots), len(genes))``; NaN where nothing was modelled.
    """
    values = np.full((len(spots), len(genes)), np.nan, dtype=np.float32)
    for rows, block in denoised_blocks(path, spots, genes):
        values[rows] = block
    return values


def denoised_blocks(
    path: Path | str, spots: pd.Index, genes: Sequence[str]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Read denoised counts a few thousand spots at a time.

    Parameters
    ----------
    path, spots, genes
        As for :func:`read_denoised`.

    Yields
    ------
    Positions in ``spots``, and the values of these spots, shape ``(n_rows, len(genes))``. Spots that the file does not
    have are in no block.
    """
    with h5py.File(path, "r") as file:
        stored = file["X"]
        to_spot = spots.get_indexer(read_elem(file["obs"]).index)
        columns = read_elem(file["var"]).index.get_indexer(list(genes))
        known = np.flatnonzero(columns >= 0)
        # chunk by chunk: each is unpacked once, whatever genes of it are wanted
        width = stored.chunks[1] if stored.chunks else stored.shape[1]
        for start in range(0, len(to_spot), ROWS_PER_CHUNK):
            rows = to_spot[start : start + ROWS_PER_CHUNK]
            wanted = rows >= 0
            values = np.full((int(wanted.sum()), len(columns)), np.nan, dtype=np.float32)
            for first in np.unique(columns[known] // width) * width:
                of_chunk = known[columns[known] // width == first // width]
                block = stored[start : start + ROWS_PER_CHUNK, first : first + width]
                values[:, of_chunk] = block[wanted][:, columns[of_chunk] - first]
            yield rows[wanted], values
