"""Matching the barcodes of a matrix to those of the positions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot.errors import BadInputError
from clearspot.io.reading import bad

_CORE: Final = r"(s_\d{3}um_\d{5}_\d{5}|[ACGTN]{12,})(?:-\d+)?(?:[_.#:-].*)?$"
"""The part that names the place on the slide: without ``-1``, and without what merging tools put before or after it."""


@dataclass(frozen=True)
class Match:
    """Where each barcode of the matrix stands among the positions.

    Parameters
    ----------
    rows
        Row of the positions for each barcode; -1 where there is none.
    exact
        False if only the barcodes without suffix and prefix agree.
    """

    rows: NDArray[np.intp]
    exact: bool


def require_unique(barcodes: pd.Index, path: Path, sample: str) -> None:
    """Refuse duplicate barcodes.

    Raises
    ------
    BadInputError
        Naming the first of them.
    """
    repeated = barcodes[barcodes.duplicated()].unique()
    if len(repeated):
        raise bad(
            path,
            sample,
            f"{len(repeated)} duplicated barcodes, for example {', '.join(map(str, repeated[:3]))}",
            "unique barcodes",
            "use the original file from Space Ranger; if samples were merged, provide each one separately",
        )


def match_barcodes(barcodes: pd.Index, places: pd.Index) -> Match:
    """Find each barcode's row among the positions.

    Exact agreement first. Where that leaves some out, suffixes (``-1``, ``-2``) and sample prefixes are left aside on
    both sides, unless that makes two barcodes the same (an aggregated run).

    Parameters
    ----------
    barcodes
        Of the matrix, unique.
    places
        Of the positions, unique.
    """
    rows = places.get_indexer(barcodes)
    if (rows >= 0).all():
        return Match(rows, exact=True)
    core, core_places = _core(barcodes), _core(places)
    if core.is_unique and core_places.is_unique:
        by_core = core_places.get_indexer(core)
        if (by_core >= 0).sum() > (rows >= 0).sum():
            return Match(by_core, exact=False)
    return Match(rows, exact=True)


def no_position(barcodes: pd.Index, match: Match, path: Path, sample: str) -> BadInputError | None:
    """Make the error for barcodes that have no position; None if all have one."""
    lost = barcodes[match.rows < 0]
    if not len(lost):
        return None
    return bad(
        path,
        sample,
        f"no position for {len(lost)} of the matrix's {len(barcodes)} barcodes, for example "
        f"{', '.join(map(str, lost[:3]))}",
        "a position for every barcode of the matrix",
        "use the matrix and the spatial folder of the same Space Ranger run",
    )


def _core(barcodes: pd.Index) -> pd.Index:
    text = pd.Series(barcodes, dtype=object).astype(str)
    core = text.str.extract(_CORE, expand=False)
    return pd.Index(core.fillna(text))
