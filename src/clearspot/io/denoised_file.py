"""Denoised values that stand in a file of their own (``<sample>.denoised.h5ad``), read a few genes at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem
from numpy.typing import NDArray

ROWS_AT_ONCE: Final = 20_000
"""Spots that are held in memory over all modelled genes."""


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
    with h5py.File(path, "r") as file:
        rows = spots.get_indexer(read_elem(file["obs"]).index)
        columns = read_elem(file["var"]).index.get_indexer(list(genes))
        known = np.flatnonzero(columns >= 0)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            block = slice(start, start + ROWS_AT_ONCE)
            asked = rows[block] >= 0
            values[np.ix_(rows[block][asked], known)] = file["X"][block][asked][:, columns[known]]
    return values
