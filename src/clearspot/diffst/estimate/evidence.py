"""What stands behind the value of a bin: a measurement, or an estimate between spots."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from clearspot.diffst.geometry.grid import FineGrid


class Evidence(IntEnum):
    """What stands behind the value of a bin."""

    OFF_TISSUE = 0
    GAP = 1
    MEASURED = 2


def evidence(A: sparse.sparray, grid: FineGrid, tissue: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Tell what stands behind each bin.

    Parameters
    ----------
    A
        Capture operator of the spots that were measured (on tissue, with counts).
    grid
        The fine grid.
    tissue
        rows x columns.

    Returns
    -------
    uint8, rows x columns, codes of :class:`Evidence`: measured where at least half of the bin's area lies in spots,
    whatever the tissue mask says; else gap on tissue.
    """
    covered = np.asarray(sparse.csr_array(A).sum(axis=0)).reshape(grid.shape)
    codes = np.where(tissue, Evidence.GAP, Evidence.OFF_TISSUE).astype(np.uint8)
    codes[covered >= 0.5] = Evidence.MEASURED
    return codes
