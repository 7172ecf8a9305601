"""UMIs that were found outside the tissue."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from clearspot import keys
from clearspot.io.barcodes import match_barcodes
from clearspot.io.feature_matrix import BarcodeTotals


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
    """

    n_spots: int
    umi: int
    fraction: float | None


def outside_tissue(totals: BarcodeTotals, positions: pd.DataFrame) -> OutsideTissue | str:
    """Sum what the raw matrix holds outside tissue; if that cannot be told, say why.

    Parameters
    ----------
    totals
        Of the raw matrix.
    positions
        All positions, indexed by barcode.
    """
    in_tissue = positions[keys.IN_TISSUE].to_numpy()
    if in_tissue.all():
        return "every position is in tissue: UMIs outside tissue cannot be measured"
    match = match_barcodes(totals.barcodes, positions.index)
    found = match.rows >= 0
    if not found.all():
        return f"{(~found).sum()} barcodes of the raw matrix have no position: UMIs outside tissue were not measured"
    outside = ~in_tissue[match.rows]
    umi, everywhere = int(totals.totals[outside].sum()), int(totals.totals.sum())
    return OutsideTissue(int((~in_tissue).sum()), umi, umi / everywhere if everywhere else None)
