"""UMIs that were found outside the tissue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.io.barcodes import match_barcodes
from clearspot.io.feature_matrix import BarcodeTotals
from clearspot.io.positions import PXL_COL, PXL_ROW

SQUARE_UM: Final = 32.0
"""Visium HD's bins outside the tissue are handed on as sums over squares of this side: a slide has millions of bins."""


@dataclass(frozen=True)
class OutsideTissue:
    """UMIs of the positions outside tissue.

    Parameters
    ----------
    n_spots
        Positions outside tissue.
    umi
        Their UMIs.
    fraction
        Share of all UMIs at positions; None if there are none at all.
    xy
        ``(n_spots, 2)`` float64: their centres in full-resolution pixels.
    counts
        ``(n_spots,)`` int64: UMIs of each; 0 for a position that the raw matrix does not list.
    """

    n_spots: int
    umi: int
    fraction: float | None
    xy: NDArray[np.float64]
    counts: NDArray[np.int64]

    def handed_on(self, side_px: float | None) -> dict[str, Any]:
        """What later steps see of it, small enough for ``uns``.

        Parameters
        ----------
        side_px
            Side of the squares whose positions are summed, in full-resolution pixels; ``None``: every position.

        Returns
        -------
        ``xy`` (float32, pixels), ``counts`` (int64) and ``n_positions`` (int32) of each position or square.
        """
        if side_px is None or not self.n_spots:
            ones = np.ones(self.n_spots, dtype=np.int32)
            return {"xy": self.xy.astype(np.float32), "counts": self.counts, "n_positions": ones}
        column, row = np.floor((self.xy - self.xy.min(axis=0)) / side_px).astype(np.int64).T
        _, square, number = np.unique(row * (column.max() + 1) + column, return_inverse=True, return_counts=True)
        centre = [np.bincount(square, weights=axis) / number for axis in self.xy.T]
        return {
            "xy": np.column_stack(centre).astype(np.float32),
            "counts": np.bincount(square, weights=self.counts).astype(np.int64),
            "n_positions": number.astype(np.int32),
        }


def outside_tissue(totals: BarcodeTotals, positions: pd.DataFrame) -> OutsideTissue | str:
    """Sum the counts of the raw matrix outside the tissue, or return the reason why that is not possible.

    Parameters
    ----------
    totals
        Of the raw matrix.
    positions
        All positions, indexed by barcode.
    """
    in_tissue = positions[keys.IN_TISSUE].to_numpy()
    if in_tissue.all():
        return "All positions are in tissue, so UMI counts outside the tissue cannot be measured."
    match = match_barcodes(totals.barcodes, positions.index)
    found = match.rows >= 0
    if not found.all():
        return (
            f"{(~found).sum()} barcodes of the raw matrix have no position, so UMI counts outside the tissue were "
            f"not measured."
        )
    outside = ~in_tissue[match.rows]
    umi, everywhere = int(totals.totals[outside].sum()), int(totals.totals.sum())
    counts = np.zeros(len(positions), dtype=np.int64)
    counts[match.rows] = totals.totals
    xy = positions.loc[~in_tissue, [PXL_COL, PXL_ROW]].to_numpy(np.float64)
    share = umi / everywhere if everywhere else None
    return OutsideTissue(int((~in_tissue).sum()), umi, share, xy, counts[~in_tissue])
