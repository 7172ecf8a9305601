"""Focus, exposure and stain of the tissue image, tile by tile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2gray
from skimage.filters import gaussian, laplace
from skimage.util import view_as_blocks

TILE_UM: Final = 250.0
_LEAST_SIDE: Final = 24
"""Pixels along a tile: fewer hold too little to judge focus by."""

_LEAST_TISSUE: Final = 0.5
"""Share of a tile that spots must cover for it to be judged."""

_FLAT: Final = 0.015
"""Standard deviation of the brightness (0 to 1) below which a tile has no texture that could be sharp."""

BLURRED: Final = 0.12
"""Fine detail (see :attr:`PictureTiles.table`) below which a tile is blurred."""

_CLIPPED: Final = 254
"""Value of a channel at which it has lost what it measured."""

_BLACK: Final = 20
_BURNT: Final = 0.5
"""Share of points clipped or black at which a tile is over- or underexposed."""

PALE: Final = 0.06
"""Mean optical density (natural logarithm, above the slide's glass) below which a tile of tissue is pale."""

_STAINED: Final = 0.06
_GLASS_QUANTILE: Final = 0.95
_DARK: Final = 100
"""Brightness of the glass (0 to 255) below which the picture is no brightfield one: its stain is not judged."""


@dataclass(frozen=True)
class PictureTiles:
    """Tiles of the image that lie under tissue.

    Parameters
    ----------
    n_tiles
        Their number.
    percent_blurred
        Of the tiles with texture; ``None`` where none has any.
    percent_overexposed, percent_underexposed, percent_pale
        Of all; those that depend on the glass are ``None`` in a picture with a dark ground (fluorescence).
    percent_usable
        Tiles that are ``good``: what super-resolution can learn from.
    tissue_share
        Share of the points of the tiles that are stained (0 to 1); ``None`` with a dark ground.
    table
        A row a tile: ``x``, ``y`` (centre, full-resolution pixels), ``focus`` (fine detail: standard deviation of the
        Laplacian over that of the brightness), ``density`` (mean optical density) and ``state`` (``good``,
        ``blurred``, ``overexposed``, ``underexposed``, ``pale``).
    """

    n_tiles: int
    percent_blurred: float | None
    percent_overexposed: float | None
    percent_underexposed: float | None
    percent_pale: float | None
    percent_usable: float
    tissue_share: float | None
    table: dict[str, list[Any]]


def judge_tiles(
    image: NDArray[np.uint8], scale: float, xy: NDArray[np.float64], reach: float, um_per_px: float | None
) -> PictureTiles | None:
    """Judge the tiles of an image that spots lie on.

    Parameters
    ----------
    image
        Height x width x 3 (or 4), uint8: the reduced image.
    scale
        Its pixels per full-resolution pixel.
    xy
        N x 2 positions of the spots in tissue, full-resolution pixels.
    reach
        Half the distance of neighbouring spots, full-resolution pixels: what a spot stands for.
    um_per_px
        µm per full-resolution pixel; tiles are 250 µm wide where known, else 40 pixels of the image.

    Returns
    -------
    ``None`` where the image is blank or no tile lies under spots.
    """
    image = np.asarray(image)[..., :3]
    if image.ndim != 3 or int(image.min()) == int(image.max()):
        return None
    side = 40 if um_per_px is None else max(_LEAST_SIDE, round(TILE_UM / um_per_px * scale))
    rows, columns = image.shape[0] // side, image.shape[1] // side
    if not rows or not columns:
        return None
    whole = np.s_[: rows * side, : columns * side]
    grey = rgb2gray(image)
    # a little smoothing first: the noise of the camera and JPEG's blocks are no detail of the tissue
    detail = _blocks(laplace(gaussian(grey, 1))[whole], side).std(axis=(2, 3))
    texture = _blocks(grey[whole], side).std(axis=(2, 3))
    level = np.quantile(image[::4, ::4].reshape(-1, 3), _GLASS_QUANTILE, axis=0)
    bright = bool(level.mean() >= _DARK)
    density = np.maximum(_mean_density(image[whole], level), 0)
    # two of three channels: scanners set the glass to white, and eosin takes little of the red light
    clipped = _blocks((image[whole] >= _CLIPPED).sum(axis=2) >= 2, side).mean(axis=(2, 3))
    black = _blocks(image[whole].max(axis=2) <= _BLACK, side).mean(axis=(2, 3))
    mean_density = _blocks(density, side).mean(axis=(2, 3))
    stained = _blocks(density > _STAINED, side).mean(axis=(2, 3))
    judged = _covered(xy * scale, max(reach * scale, 0.5), (rows, columns), side)
    if not judged.any():
        return None
    focus = np.where(texture > _FLAT, detail / np.maximum(texture, 1e-9), np.nan)
    state = np.full(judged.shape, "good", dtype=object)
    state[focus < BLURRED] = "blurred"
    if bright:
        state[mean_density < PALE] = "pale"
        state[black > _BURNT] = "underexposed"
        state[clipped > _BURNT] = "overexposed"
    row, column = np.nonzero(judged)
    textured = judged & np.isfinite(focus)
    return PictureTiles(
        int(judged.sum()),
        100.0 * float((focus[textured] < BLURRED).mean()) if textured.any() else None,
        100.0 * float((state[judged] == "overexposed").mean()) if bright else None,
        100.0 * float((state[judged] == "underexposed").mean()) if bright else None,
        100.0 * float((mean_density[judged] < PALE).mean()) if bright else None,
        100.0 * float((state[judged] == "good").mean()),
        float(stained[judged].mean()) if bright else None,
        {
            "x": ((column + 0.5) * side / scale).round(1).tolist(),
            "y": ((row + 0.5) * side / scale).round(1).tolist(),
            "focus": [None if np.isnan(one) else round(float(one), 4) for one in focus[judged]],
            "density": mean_density[judged].round(4).tolist(),
            "state": state[judged].tolist(),
        },
    )


def _mean_density(image: NDArray[np.uint8], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Optical density over the channels; looked up, since a logarithm of each value would take 24 bytes a pixel."""
    densities = np.log((level[:, None] + 1) / (np.arange(256) + 1.0))
    total = densities[0][image[..., 0]]
    for channel in (1, 2):
        total += densities[channel][image[..., channel]]
    return total / 3


def _blocks(values: NDArray[Any], side: int) -> NDArray[Any]:
    blocks: NDArray[Any] = view_as_blocks(np.ascontiguousarray(values), (side, side))
    return blocks


def _covered(xy: NDArray[np.float64], reach: float, shape: tuple[int, int], side: int) -> NDArray[np.bool_]:
    """Tiles of which spots, each standing for a square of twice the reach, cover half."""
    column, row = np.floor(xy / side).astype(np.int64).T
    inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    number = np.zeros(shape)
    np.add.at(number, (row[inside], column[inside]), (2 * reach) ** 2)
    covered: NDArray[np.bool_] = number >= _LEAST_TISSUE * side**2
    return covered
