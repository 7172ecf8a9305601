"""Arrays of a page, each stored once and small, that any number of charts refer to.

A chart holds ``{"ref": key}`` in place of an array (the page's script says what else may stand beside it). Sixteen bits
a value keep a page of thousands of spots and dozens of genes within the size that viewers accept; counts up to 65,534
are kept exactly.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

LEVELS: Final = 65534
MISSING: Final = 65535


class Store:
    """Arrays by key, as the page's script reads them."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}

    def numbers(self, key: str, values: ArrayLike, *, deflated: bool = False) -> dict[str, str]:
        """Keep an array of numbers (NaN: missing) and return what stands for it in a chart.

        Values become ``low + step * q`` with ``q`` an unsigned 16-bit integer: exact for integers that span at
        most 65,534, else within half of 1/65,534 of the array's range.

        Parameters
        ----------
        key
            Name of the array.
        values
            The numbers.
        deflated
            Keep it deflated, which pays for long arrays whose neighbours are equal; the page unpacks it at its start.
        """
        array = np.asarray(values, dtype=np.float64).ravel()
        known = np.isfinite(array)
        low, step = 0.0, 1.0
        if known.any():
            low, high = float(array[known].min()), float(array[known].max())
            whole = high - low <= LEVELS and bool(np.all(array[known] == np.round(array[known])))
            step = 1.0 if whole or high == low else (high - low) / LEVELS
        levels = np.full(array.shape, MISSING, dtype="<u2")
        levels[known] = np.round((array[known] - low) / step).astype("<u2")
        kind, kept = ("deflated", zlib.compress(levels.tobytes(), 9)) if deflated else ("u16", levels.tobytes())
        self.arrays[key] = {kind: base64.b64encode(kept).decode("ascii"), "low": low, "step": step}
        return {"ref": key}

    def words(self, key: str, values: list[str]) -> dict[str, str]:
        """Keep an array of strings and return what stands for it in a chart."""
        self.arrays[key] = values
        return {"ref": key}

    def text(self, key: str, value: str) -> dict[str, str]:
        """Keep one long string (a picture's data address) and return what stands for it in a chart."""
        self.arrays[key] = value
        return {"ref": key}


def decode(entry: dict[str, Any]) -> np.ndarray:
    """Return the numbers of one entry of :attr:`Store.arrays`, NaN where missing."""
    packed = zlib.decompress(base64.b64decode(entry["deflated"])) if "deflated" in entry else None
    levels = np.frombuffer(base64.b64decode(entry["u16"]) if packed is None else packed, dtype="<u2")
    values = entry["low"] + entry["step"] * levels.astype(np.float64)
    values[levels == MISSING] = np.nan
    return values
