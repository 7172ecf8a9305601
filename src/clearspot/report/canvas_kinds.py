"""The ways to draw a spot: a disk of its own, a cell's outline, or, of too many, part of the square of a raster."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix

from clearspot.display.palette import SPOTS, SYMBOLS, symbol
from clearspot.report.blocks import Chart, Spec, plot_text
from clearspot.report.canvas import Canvas, EachCanvas
from clearspot.report.cell_canvas import CellCanvas
from clearspot.report.data import CellOutlines
from clearspot.report.fine_raster import PixelGrid, class_picture, grid_of_bins, grid_of_cells, number_picture
from clearspot.report.map_parts import one_colour
from clearspot.report.store import Store

MOST_DISKS: Final = 15_000
"""More spots than this are drawn as a raster of at most as many cells: browsers, and the page's size, bear no more."""


def too_many(n_spots: int) -> bool:
    """Whether so many spots are drawn as a raster."""
    return n_spots > MOST_DISKS


def make_canvas(
    store: Store,
    xy: NDArray[np.float64],
    barcodes: Sequence[str],
    *,
    spot_diameter: float,
    um_per_px: float | None,
    word: str = "spot",
    length: str = "image pixels",
    outlines: CellOutlines | None = None,
) -> Canvas:
    """Return the canvas that suits the number of spots, and their shape.

    Parameters
    ----------
    store
        Arrays of the page.
    xy
        Spot centres in full-resolution pixels, shape ``(n_spots, 2)``.
    barcodes
        What a spot is called when the pointer is over it.
    spot_diameter
        In full-resolution pixels.
    um_per_px
        µm per full-resolution pixel, where known.
    word
        What a measured place is called.
    length
        What lengths are in, where ``um_per_px`` is not known.
    outlines
        Of segmented cells, where the places are cells.
    """
    scale: dict[str, Any] = {"spot_diameter": spot_diameter, "um_per_px": um_per_px, "word": word, "length": length}
    if too_many(len(xy)):
        return RasterCanvas(store, xy, outlines=outlines, **scale)
    if outlines is not None:
        return CellCanvas(store, xy, barcodes, outlines, **scale)
    return DiskCanvas(store, xy, barcodes, **scale)


class DiskCanvas(EachCanvas):
    """Every spot a disk that says its barcode."""

    def __init__(self, store: Store, xy: NDArray[np.float64], barcodes: Sequence[str], **scale: Any):
        super().__init__(store, xy, barcodes, **scale)
        store.numbers("x", xy[:, 0])
        store.numbers("y", xy[:, 1])

    @property
    def said(self) -> str:
        """Nothing: every spot is drawn."""
        return ""

    def _numbers(self, key: str, hover: str, how: Spec) -> Spec:
        trace = self._disks(hover, {})
        trace["marker"] |= {"color": {"ref": key, **how}, "coloraxis": "coloraxis"}
        return trace | {"customdata": {"ref": key}}

    def _classes(self, key: str, codes: NDArray[np.int64], colours: Mapping[str, str]) -> dict[int, Spec]:
        self.store.numbers(key, np.where(codes < 0, np.nan, codes))
        traces = {}
        for number, (name, colour) in enumerate(colours.items()):
            if (codes == number).any():
                traces[number] = self._disks(f"{plot_text(name)}<extra></extra>", {"where": key, "is": number})
                traces[number]["marker"] |= {"color": colour, "symbol": symbol(number)}
        return traces

    def _outlines(self) -> Spec:
        trace = self._disks("<extra></extra>", {})
        trace["marker"] |= {"color": SPOTS, "opacity": 0.35}
        return trace

    def _disks(self, hover: str, which: Spec) -> Spec:
        return {
            "type": "scatter", "mode": "markers", "x": {"ref": "x", **which}, "y": {"ref": "y", **which},
            "text": {"ref": "barcode", **which}, "hovertemplate": f"%{{text}}<br>{hover}", "showlegend": False,
            # Viridis begins nearly black and ends nearly white: the edge keeps both in sight on either ground.
            "marker": {"size": 5, "line": {"width": 0.5, "color": "rgba(128,138,148,0.6)"}, "symbol": SYMBOLS[0]},
        }  # fmt: skip


class RasterCanvas(Canvas):
    """Square cells, each the mean of its spots (of classes: the most frequent one).

    Parameters
    ----------
    side
        Of a cell, in full-resolution pixels; found from ``MOST_DISKS`` where left out.
    outlines
        Of segmented cells, for :meth:`every_spot` and :meth:`every_number`.
    """

    def __init__(
        self,
        store: Store,
        xy: NDArray[np.float64],
        *,
        side: float | None = None,
        outlines: CellOutlines | None = None,
        **scale: Any,
    ):
        super().__init__(store, xy, **scale)
        self.outlines = outlines
        low = np.array([self.x_range[0], self.y_range[0]])
        extent = np.array([self.x_range[1], self.y_range[1]]) - low
        self.side = side or math.sqrt(float(extent.prod()) / MOST_DISKS)
        n_columns, n_rows = (math.ceil(length / self.side) for length in extent)
        column, row = np.floor((xy - low) / self.side).astype(np.int64).T
        self.shape = (n_rows, n_columns)
        self.cell = row * n_columns + column
        self.spots_in_cell = np.bincount(self.cell, minlength=self.n_drawn)

    @property
    def n_drawn(self) -> int:
        """Values that one map holds."""
        return self.shape[0] * self.shape[1]

    @property
    def draws_each(self) -> bool:
        """Never."""
        return False

    @property
    def said(self) -> str:
        """How wide a cell is, and what it shows."""
        return (
            f"{len(self.xy):,} {self.word}s are too many to draw individually. Each square of the maps is "
            f"{self.width(self.side, 0)} wide and shows the mean of its {self.word}s (for classes: the most frequent "
            f"one)."
        )

    def drawn(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the mean of each cell; NaN where no spot is."""
        numbers = np.asarray(values, dtype=np.float64)
        known = np.isfinite(numbers)
        total = np.bincount(self.cell[known], weights=numbers[known], minlength=self.n_drawn)
        count = np.bincount(self.cell[known], minlength=self.n_drawn)
        mean: NDArray[np.float64] = total / np.where(count > 0, count, np.nan)
        return mean

    def gathered(
        self, blocks: Iterable[tuple[NDArray[np.intp], NDArray[np.floating]]], n_columns: int
    ) -> NDArray[np.float32]:
        """Return the mean of each cell; the spots are never all in memory."""
        total, count = np.zeros((self.n_drawn, n_columns)), np.zeros((self.n_drawn, n_columns))
        for rows, block in blocks:
            cells, place = np.unique(self.cell[rows], return_inverse=True)
            member = csr_matrix((np.ones(len(rows)), (place, np.arange(len(rows)))), shape=(len(cells), len(rows)))
            known = np.isfinite(block)
            total[cells] += member @ np.where(known, block, 0.0)
            count[cells] += member @ known.astype(np.float64)
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0).astype(np.float32)

    def _numbers(self, key: str, hover: str, how: Spec) -> Spec:
        return self._cells(key, hover, how) | {"customdata": self._grid(key, {}), "coloraxis": "coloraxis"}

    def _classes(self, key: str, codes: NDArray[np.int64], colours: Mapping[str, str]) -> dict[int, Spec]:
        votes = np.stack([np.bincount(self.cell[codes == n], minlength=self.n_drawn) for n in range(len(colours))])
        winner = np.where(votes.any(axis=0), votes.argmax(axis=0), np.nan)
        self.store.numbers(key, winner)
        return {
            number: self._cells(key, f"{plot_text(name)}<extra></extra>", {"equals": number}) | one_colour(colour)
            for number, (name, colour) in enumerate(colours.items())
            if (winner == number).any()
        }

    def every_spot(
        self, chart_id: str, labels: pd.Series, colours: Mapping[str, str], title: str, caption: str
    ) -> Chart:
        """Map of classes with a pixel a spot, or with each cell by its outline.

        Parameters
        ----------
        labels, colours
            As for :meth:`classes`.
        """
        codes = pd.Categorical(labels.astype("string"), categories=list(colours)).codes
        trace = class_picture(self._fine, codes, list(colours.values()))
        spec = {"data": [trace], "layout": self._layout(self.x_range, self.y_range)}
        return Chart(chart_id, title, caption, spec, self._ratio(bottom=0.06))

    @property
    def said_finely(self) -> str:
        """How :meth:`every_spot` and :meth:`every_number` draw, in words."""
        if self.outlines is not None:
            drawn = f"Each {self.word} by its outline"
        elif self._fine.side > 1.001 * self.spot_diameter:
            wide = self.width(self._fine.side, 1)
            return f"Pixels of {wide}, each of the nearest {self.word}, in the colours of the map of squares."
        else:
            drawn = f"One pixel per {self.word}"
        return f"{drawn}, in the colours of the map of squares. Zoom in to see single {self.word}s."

    def every_number(
        self, chart_id: str, values: ArrayLike, title: str, caption: str, axis: Spec, *, logarithmic: bool = False
    ) -> Chart:
        """Map of numbers with a pixel a spot, or with each cell by its outline.

        Parameters
        ----------
        values
            One number a spot; those without one are not drawn.
        axis, logarithmic
            As for :meth:`numeric`.
        """
        numbers = np.asarray(values, dtype=np.float64)
        trace = number_picture(self._fine, np.log1p(numbers) if logarithmic else numbers, axis["cmin"], axis["cmax"])
        # a picture has no colours of its own to explain
        bar = {
            "type": "scatter", "mode": "markers", "x": [None], "y": [None], "hoverinfo": "skip", "showlegend": False,
            "marker": {"color": [axis["cmin"]], "coloraxis": "coloraxis"},
        }  # fmt: skip
        layout = self._layout(self.x_range, self.y_range) | {"coloraxis": axis}
        return Chart(chart_id, title, caption, {"data": [trace, bar], "layout": layout}, self._ratio(bottom=0.12))

    @cached_property
    def _fine(self) -> PixelGrid:
        if self.outlines is None:
            return grid_of_bins(self.xy, self.spot_diameter)
        return grid_of_cells(self.xy, self.outlines)

    def _outlines(self) -> Spec:
        self.store.numbers("seen", np.where(self.spots_in_cell > 0, 1.0, np.nan))
        return self._cells("seen", f"{self.word}s<extra></extra>", {}) | one_colour(SPOTS) | {"opacity": 0.35}

    def _grid(self, key: str, how: Spec) -> Spec:
        return {"ref": key, "columns": self.shape[1], **how}

    def _cells(self, key: str, hover: str, how: Spec) -> Spec:
        return {
            "type": "heatmap", "z": self._grid(key, how), "hovertemplate": hover, "hoverongaps": False,
            "x0": self.x_range[0] + self.side / 2, "dx": self.side,
            "y0": self.y_range[0] + self.side / 2, "dy": self.side,
        }  # fmt: skip
