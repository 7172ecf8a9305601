"""Pictures spoilt on purpose: out of focus, overexposed, hardly stained."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

_BLUR_UM: Final = (3.0, 8.0, 20.0)
"""Standard deviation of the blur; a nucleus is some 6 µm wide."""
_GAIN: Final = (1.1, 1.3, 1.7)
"""Factor on the light; the glass is nearly white to begin with."""
_STAIN: Final = (0.5, 0.2, 0.06)
"""Share of the absorbance that is left."""

_STRIP: Final = 1024


def spoil_picture(picture: np.ndarray, kind: str, level: int, um_per_px: float) -> dict[str, float]:
    """Spoil a picture in place.

    Parameters
    ----------
    picture
        uint8, rows x columns x RGB; may lie in a file.
    kind
        ``blurred``, ``overexposed`` or ``pale``.
    level
        0 (weak) to 2 (strong).
    um_per_px
        Size of a pixel.

    Returns
    -------
    What was done, in figures.
    """
    if kind == "blurred":
        _blur(picture, _BLUR_UM[level] / um_per_px)
        return {"blur_um": _BLUR_UM[level]}
    shades = np.arange(256, dtype=float)
    if kind == "overexposed":
        table, figures = shades * _GAIN[level], {"gain": _GAIN[level]}
    else:
        white = float(np.percentile(picture[:: max(len(picture) // 200, 1)], 98))
        table = white * (np.minimum(shades, white) / white) ** _STAIN[level]
        figures = {"stain_left": _STAIN[level]}
    look_up = np.clip(np.round(table), 0, 255).astype(np.uint8)
    for top in range(0, len(picture), _STRIP):
        picture[top : top + _STRIP] = look_up[picture[top : top + _STRIP]]
    return figures


def _blur(picture: np.ndarray, sigma: float) -> None:
    """Blur strip by strip; each strip is blurred with what lay above and below it before."""
    halo = int(np.ceil(4 * sigma))
    above = picture[:0].copy()
    for top in range(0, len(picture), _STRIP):
        bottom = min(top + _STRIP, len(picture))
        strip = np.concatenate([above, picture[top : bottom + halo]])
        start = len(above)
        above = np.concatenate([above, picture[top:bottom]])[-halo:].copy() if halo else above
        blurred = ndimage.gaussian_filter(strip.astype(np.float32), (sigma, sigma, 0), mode="nearest")
        picture[top:bottom] = np.round(blurred[start : start + bottom - top]).astype(np.uint8)
