"""Where a picture of a stained section shows tissue, and how dark and how blue it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SPOT_UM: Final = 55.0
"""Diameter of what a spot captures: features are means over about so much."""

_GLASS: Final = 0.95
"""Quantile of a channel's brightness that is taken for bare glass."""

_TINGED: Final = 0.05
"""Difference of the channels' optical densities that bare glass may have; more is the colour of tissue."""

_SMOOTH_UM: Final = 15.0
_SMALLEST_UM: Final = 150.0
"""Side of the smallest piece of tissue, and of the smallest hole in it."""

_PALEST, _FULLEST = 0.03, 0.10
"""Optical density between which the threshold of colour lies: glass has less, stained tissue more. Otsu's method
chooses within; where tissue fills the frame it would cut through the tissue, and the upper end holds."""

_MOST_COLOURED: Final = 0.99
"""Quantile of the colour that a stained picture has more of than glass; less is fluorescence, or grey."""

_GREY: Final = 0.2
"""Spread of the channels' optical densities over their mean below which a pixel is grey: ink, fiducials, a frame."""


@dataclass(frozen=True)
class StainedPicture:
    """A picture in units of light absorbed.

    Parameters
    ----------
    tissue
        ``(height, width)`` bool.
    darkness
        ``(height, width)`` float32: optical density (base 10) over glass, mean of the channels.
    haematoxylin
        ``(height, width)`` float32: amount of haematoxylin (Ruifrok and Johnston 2001).
    um_per_px
        Side of a pixel.
    """

    tissue: NDArray[np.bool_]
    darkness: NDArray[np.float32]
    haematoxylin: NDArray[np.float32]
    um_per_px: float


def stained_picture(image: NDArray[Any], um_per_px: float) -> StainedPicture | str:
    """Find the tissue of a picture of a section under bright light.

    Light absorbed is measured against the glass (the 95 % quantile of each channel,
    or white as bright as that where it has the colour of stain). Stain has a colour, so tissue is
    where the channels' optical densities, smoothed over 15 µm, differ by more than Otsu's threshold (kept between 0.03
    and 0.10, so that a frame full of tissue is not cut in two) and are not grey, as ink, fiducials and a black frame
    are. Pieces and holes smaller than 150 µm a side go.

    Parameters
    ----------
    image
        ``(height, width, 3 or more)``, uint8 or 0 to 1; a fourth channel is left out.
    um_per_px
        Side of a pixel.

    Returns
    -------
    The picture; or why it cannot be used, as a sentence.
    """
    from skimage.color import hed_from_rgb, separate_stains
    from skimage.filters import gaussian, threshold_otsu
    from skimage.morphology import remove_small_holes, remove_small_objects

    if image.ndim != 3 or image.shape[2] < 3:
        return "The tissue image is not in colour, so it was not compared with the counts."
    rgb = _as_unit(image[:, :, :3])
    glass = np.maximum(np.quantile(rgb, _GLASS, axis=(0, 1)), 0.1)
    if float(np.ptp(np.log10(glass))) > _TINGED:  # no glass in the frame
        glass = np.full(3, glass.max())
    clear = np.minimum(rgb / glass, 1.0).astype(np.float32)
    density = -np.log10(np.maximum(clear, 1 / 256))
    smooth = gaussian(density, _SMOOTH_UM / um_per_px, channel_axis=2)
    spread, mean = np.ptp(smooth, axis=2), smooth.mean(axis=2)
    if float(np.quantile(spread, _MOST_COLOURED)) < _PALEST:
        return "The tissue image is not in colour (fluorescence or greyscale), so it was not compared with the counts."
    threshold = float(np.clip(threshold_otsu(spread), _PALEST, _FULLEST))
    tissue = (spread > threshold) & (spread > _GREY * mean)
    most = round((_SMALLEST_UM / um_per_px) ** 2)
    tissue = remove_small_holes(remove_small_objects(tissue, max_size=most), max_size=most)
    haematoxylin = separate_stains(np.maximum(clear, 1 / 256), hed_from_rgb)[:, :, 0]
    return StainedPicture(tissue, density.mean(axis=2).astype(np.float32), haematoxylin.astype(np.float32), um_per_px)


def _as_unit(pixels: NDArray[Any]) -> NDArray[np.float32]:
    values = np.nan_to_num(np.asarray(pixels, dtype=np.float32))
    if np.issubdtype(pixels.dtype, np.integer):
        return np.divide(values, np.iinfo(pixels.dtype).max, dtype=np.float32)
    return np.divide(values, 255, dtype=np.float32) if float(values.max(initial=0.0)) > 1.0 else values
