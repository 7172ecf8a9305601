"""Words for where something lies on a section."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MIDDLE: Final = 0.15
_NEAR: Final = 0.45


def place_in_words(xy: NDArray[np.float64], part: NDArray[np.float64]) -> str:
    """Say where a part lies as the section is drawn (y grows downwards): "right of the middle", "at the upper left".

    Parameters
    ----------
    xy
        N x 2 positions of the whole section.
    part
        M x 2 positions of the part.
    """
    low, high = xy.min(axis=0), xy.max(axis=0)
    x, y = (part.mean(axis=0) - (low + high) / 2) / np.maximum((high - low) / 2, 1e-12)
    across = "" if abs(x) < _MIDDLE else "right" if x > 0 else "left"
    along = "" if abs(y) < _MIDDLE else "lower" if y > 0 else "upper"
    if not across and not along:
        return "in the middle"
    if max(abs(x), abs(y)) >= _NEAR:
        plain = {"upper": "top", "lower": "bottom"}
        return f"at the {f'{along} {across}' if across and along else across or plain[along]}"
    if abs(x) >= abs(y) and across:
        return f"{across} of the middle"
    return f"{'below' if along == 'lower' else 'above'} the middle"
