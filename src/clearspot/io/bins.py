"""Which bin size of a Visium HD folder is read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

PREFERRED_BIN_UM: Final = 8
"""10x's own recommendation: bins of 2 µm hold too few counts each, wider ones span several cells."""


def choose_bin(there: Collection[int], wanted: int | None = None) -> int | None:
    """Choose one of the bin sizes of a folder: Space Ranger's 2, 8 and 16 µm, or any ``--custom-bin-size``.

    Parameters
    ----------
    there
        Sides of the bins in the folder, in micrometres.
    wanted
        Requested bin size; by default 8, else the next larger one, else the largest.

    Returns
    -------
    int or None
        None if the wanted size, or any size, is missing.
    """
    if wanted is not None:
        return wanted if wanted in there else None
    not_finer = [um for um in there if um >= PREFERRED_BIN_UM]
    return min(not_finer) if not_finer else max(there, default=None)
