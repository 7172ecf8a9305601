"""Rasters as fine as bins and cells: which spot each pixel shows, and maps drawn so, as pictures."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial import cKDTree

from clearspot.display.palette import SEQUENTIAL
from clearspot.extras import extra
from clearspot.report.blocks import Spec
from clearspot.report.data import CellOutlines

with extra("report"):
    from plotly.colors import sample_colorscale

MOST_PIXELS: Final = 2_000_000
"""Of a picture: more than a screen shows, and they would take too much of the page."""

PIXELS_A_CELL: Final = 40
"""Of the median cell, unless there would be too many in all; shapes of cells are seen, and more would show no more."""

SHADES: Final = 64
"""Of a map of numbers: eyes tell no more apart, and each bit more takes a sixth more of the page."""

NO_SPOT: Final = -1

_REACH: Final = 0.75
"""Sides of a pixel to the nearest spot; on a square lattice no place is further than 0.71 of them."""


@dataclass(frozen=True)
class PixelGrid:
    """Square pixels, each of one spot or of none.

    Parameters
    ----------
    spot
        Number of the spot of each pixel, shape ``(n_rows, n_columns)``; ``NO_SPOT`` where there is none.
    x, y
        Centre of the first pixel, in full-resolution pixels.
    side
        Of a pixel, in full-resolution pixels.
    """

    spot: NDArray[np.int64]
    x: float
    y: float
    side: float

    def place(self) -> Spec:
        """Return where plotly's heatmaps and pictures put the pixels."""
        return {"x0": self.x, "dx": self.side, "y0": self.y, "dy": self.side}


def grid_of_bins(xy: NDArray[np.float64], side: float, most: int = MOST_PIXELS) -> PixelGrid:
    """Give each pixel its nearest spot, if one is as near as on a lattice of squares.

    Parameters
    ----------
    xy
        Spot centres, shape ``(n_spots, 2)``.
    side
        Side of a spot; that of a pixel, unless there would be too many.
    most
        Pixels that there may be.
    """
    low, high = xy.min(axis=0) - side / 2, xy.max(axis=0) + side / 2
    side = max(side, math.sqrt(float((high - low).prod()) / most))
    n_columns, n_rows = np.maximum(np.round((high - low) / side).astype(int), 1)
    centres = np.stack(
        np.meshgrid(low[0] + side * (0.5 + np.arange(n_columns)), low[1] + side * (0.5 + np.arange(n_rows))), axis=-1
    )
    _, nearest = cKDTree(xy).query(centres.reshape(-1, 2), distance_upper_bound=_REACH * side)
    spot = np.where(nearest < len(xy), nearest, NO_SPOT).reshape(n_rows, n_columns)
    return PixelGrid(spot, float(centres[0, 0, 0]), float(centres[0, 0, 1]), side)


def grid_of_cells(xy: NDArray[np.float64], outlines: CellOutlines, most: int = MOST_PIXELS) -> PixelGrid:
    """Give each pixel the cell whose outline holds its centre; places between cells stay empty.

    Parameters
    ----------
    xy
        Centres of the cells, shape ``(n_cells, 2)``. A cell that no pixel's centre lies in has the pixel at its own
        centre, so that none is lost.
    outlines
        Their outlines.
    most
        Pixels that there may be, about.
    """
    from skimage.draw import polygon  # only cells need it: a page of spots should not wait for it

    points = np.concatenate([outlines.polygons.xy, xy])
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(
        math.sqrt(float(np.median(outlines.polygons.areas())) / PIXELS_A_CELL),
        math.sqrt(float((high - low).prod()) / most),
    )
    n_columns, n_rows = np.floor((high - low) / side).astype(int) + 1
    spot = np.full((n_rows, n_columns), NO_SPOT, dtype=np.int64)
    for row, ring in zip(outlines.rows, outlines.polygons.rings(), strict=True):
        columns_rows = (ring - low) / side - 0.5
        spot[polygon(columns_rows[:, 1], columns_rows[:, 0], spot.shape)] = row
    unseen = np.setdiff1d(np.arange(len(xy)), spot)
    column, line = np.floor((xy[unseen] - low) / side).astype(int).T
    spot[line, column] = unseen
    return PixelGrid(spot, float(low[0] + side / 2), float(low[1] + side / 2), side)


def class_picture(grid: PixelGrid, codes: NDArray[np.integer], colours: Sequence[str]) -> Spec:
    """Draw the class of the spot of every pixel, as plotly's trace of a picture: sharp at every zoom, and small.

    Parameters
    ----------
    grid
        Spot of each pixel.
    codes
        Class of each spot, -1 for none.
    colours
        Colour of each class, like ``#0072B2``.
    """
    none = len(colours)
    # NO_SPOT is the last place
    of_pixel = np.append(np.where(codes < 0, none, codes), none)[grid.spot].astype(np.uint8)
    picture = Image.fromarray(of_pixel, mode="P")
    picture.putpalette([part for colour in colours for part in bytes.fromhex(colour[1:])] + [0, 0, 0])
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True, transparency=none)
    address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return {"type": "image", "source": address, "hoverinfo": "skip", **grid.place()}


def number_picture(grid: PixelGrid, values: NDArray[np.float64], low: float, high: float) -> Spec:
    """Draw the number of the spot of every pixel, as :func:`class_picture` does.

    Parameters
    ----------
    grid
        Spot of each pixel.
    values
        Number of each spot, NaN for none.
    low, high
        Numbers of the first and of the last colour.
    """
    shade = np.clip((values - low) / (high - low), 0, 1) * (SHADES - 1)
    codes = np.where(np.isfinite(shade), np.round(shade), -1).astype(np.int64)
    shades = sample_colorscale(SEQUENTIAL, SHADES, colortype="tuple")
    return class_picture(grid, codes, ["#" + bytes(round(255 * part) for part in shade).hex() for shade in shades])
