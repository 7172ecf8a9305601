"""Maps of segmented cells: every cell by its outline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearspot.display.palette import SPOTS
from clearspot.report.blocks import Spec, plot_text
from clearspot.report.canvas import EachCanvas
from clearspot.report.data import CellOutlines
from clearspot.report.fine_raster import NO_SPOT, grid_of_cells
from clearspot.report.map_parts import one_colour
from clearspot.report.store import Store

MOST_PIXELS: Final = 300_000
"""Of a map: about 20 for each of the most cells that are drawn so; more would slow the browser down."""

_AT: Final = "cell_of_pixel"


class CellCanvas(EachCanvas):
    """Every cell by the pixels within its outline.

    The page says once which cell each pixel belongs to. Maps hold a value a cell, as those of disks do: the page's
    script looks up what each pixel shows.

    Parameters
    ----------
    outlines
        Of the cells.
    """

    def __init__(
        self, store: Store, xy: NDArray[np.float64], barcodes: Sequence[str], outlines: CellOutlines, **scale: Any
    ):
        super().__init__(store, xy, barcodes, **scale)
        self.grid = grid_of_cells(xy, outlines, MOST_PIXELS)
        half, (n_rows, n_columns) = self.grid.side / 2, self.grid.spot.shape
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        # large cells may reach further out than spots of their median size
        self.x_range = (min(x0, self.grid.x - half), max(x1, self.grid.x - half + n_columns * self.grid.side))
        self.y_range = (min(y0, self.grid.y - half), max(y1, self.grid.y - half + n_rows * self.grid.side))
        store.numbers(_AT, np.where(self.grid.spot == NO_SPOT, np.nan, self.grid.spot), deflated=True)

    @property
    def said(self) -> str:
        """That cells have their shapes, and how fine these are."""
        return f"Each {self.word} is drawn by its outline, in pixels of {self.width(self.grid.side, 1)}."

    def _numbers(self, key: str, hover: str, how: Spec) -> Spec:
        return self._cells(key, hover, how) | {"customdata": self._looked_up(key, {}), "coloraxis": "coloraxis"}

    def _classes(self, key: str, codes: NDArray[np.int64], colours: Mapping[str, str]) -> dict[int, Spec]:
        self.store.numbers(key, np.where(codes < 0, np.nan, codes))
        return {
            number: self._cells(key, f"{plot_text(name)}<extra></extra>", {"equals": number}) | one_colour(colour)
            for number, (name, colour) in enumerate(colours.items())
            if (codes == number).any()
        }

    def _outlines(self) -> Spec:
        self.store.numbers("seen", np.ones(len(self.xy)))
        return self._cells("seen", "<extra></extra>", {}) | one_colour(SPOTS) | {"opacity": 0.35}

    def _looked_up(self, key: str, how: Spec) -> Spec:
        return {"ref": key, **how, "at": _AT, "columns": self.grid.spot.shape[1]}

    def _cells(self, key: str, hover: str, how: Spec) -> Spec:
        return {
            "type": "heatmap", "z": self._looked_up(key, how), "text": self._looked_up("barcode", {}),
            "hovertemplate": "%{text}<br>" + hover, "hoverongaps": False, "showlegend": False, **self.grid.place(),
        }  # fmt: skip
