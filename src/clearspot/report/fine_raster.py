"""A map of classes with a pixel a bin, as a picture: sharp at every zoom, and small enough for half a million bins."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from clearspot.report.blocks import Spec

MOST_PIXELS: Final = 2_000_000
"""More than a screen shows, and they would take too much of the page."""

_REACH: Final = 0.75
"""Sides of a pixel to the nearest spot; on a square lattice no place is further than 0.71 of them."""


def class_picture(xy: NDArray[np.float64], codes: NDArray[np.integer], colours: Sequence[str], side: float) -> Spec:
    """Draw the class of the nearest spot in every pixel, as plotly's trace of a picture.

    Parameters
    ----------
    xy
        Spot centres, shape ``(n_spots, 2)``.
    codes
        Class of each spot, -1 for none.
    colours
        Colour of each class, like ``#0072B2``.
    side
        Side of a spot; that of a pixel, unless there would be more than ``MOST_PIXELS``.
    """
    low, high = xy.min(axis=0) - side / 2, xy.max(axis=0) + side / 2
    side = max(side, math.sqrt(float((high - low).prod()) / MOST_PIXELS))
    n_columns, n_rows = np.maximum(np.round((high - low) / side).astype(int), 1)
    centres = np.stack(
        np.meshgrid(low[0] + side * (0.5 + np.arange(n_columns)), low[1] + side * (0.5 + np.arange(n_rows))), axis=-1
    )
    _, nearest = cKDTree(xy).query(centres.reshape(-1, 2), distance_upper_bound=_REACH * side)
    none = len(colours)
    of_pixel = np.append(np.where(codes < 0, none, codes), none)[nearest].astype(np.uint8)
    picture = Image.fromarray(of_pixel.reshape(n_rows, n_columns), mode="P")
    picture.putpalette([part for colour in colours for part in bytes.fromhex(colour[1:])] + [0, 0, 0])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=none)
    return {
        "type": "image", "source": "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"),
        "x0": float(centres[0, 0, 0]), "dx": side, "y0": float(centres[0, 0, 1]), "dy": side, "hoverinfo": "skip",
    }  # fmt: skip
