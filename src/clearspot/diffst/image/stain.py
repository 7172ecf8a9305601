"""Colours of a slide in units of its own stain, so that slides, stains and scanners can be compared."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

STAINED: Final = 0.15
"""Mean optical density (natural logarithm) above which a point counts as stained."""

_PALEST: Final = 0.05
_EVERY: Final = 7
"""Points that are looked at for the slide's stain: every so many along both axes."""


def optical_density(pixels: NDArray[np.uint8], stain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Optical density of colours, divided by the slide's.

    Parameters
    ----------
    pixels
        ``(3, height, width)`` uint8.
    stain
        ``(3,)``: what :func:`stain_of` gave for the whole slide.
    """
    density = -np.log((pixels.astype(np.float32) + 1) / 256)
    return np.asarray(density / stain[:, None, None], dtype=np.float32)


def stain_of(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean optical density of a slide's stained points, ``(3,)``; 1 where nothing is stained.

    Parameters
    ----------
    pixels
        ``(3, height, width)`` uint8: the whole slide.
    """
    some = pixels[:, ::_EVERY, ::_EVERY].reshape(3, -1)
    density = optical_density(some[:, None], np.ones(3, dtype=np.float32))[:, 0]
    stained = density.mean(axis=0) > STAINED if density.size else np.zeros(0, dtype=bool)
    if not stained.any():
        return np.ones(3, dtype=np.float32)
    return np.maximum(density[:, stained].mean(axis=1), _PALEST).astype(np.float32)
