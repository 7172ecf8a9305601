"""Maps of a sample, all drawn alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clearspot.report.blocks import Chart, Spec, plot_text
from clearspot.report.map_parts import Range, scale_bar
from clearspot.report.picture import Picture
from clearspot.report.store import Store

_BELOW: Final = 0.07
"""Room for the scale bar below a map, as a share of its height."""

_AROUND: Final = 0.12
"""Tissue image shown around the spots, as a share of their extent."""


class Canvas(ABC):
    """Draws values of the spots of one sample.

    Parameters
    ----------
    store
        Arrays of the page.
    xy
        Spot centres in full-resolution pixels, shape ``(n_spots, 2)``.
    spot_diameter
        In full-resolution pixels.
    um_per_px
        µm per full-resolution pixel, or ``None``: then maps have no scale bar.
    word
        What a measured place is called.
    length
        What lengths are in, where the scale is not known.
    """

    def __init__(
        self,
        store: Store,
        xy: NDArray[np.float64],
        *,
        spot_diameter: float,
        um_per_px: float | None,
        word: str,
        length: str = "image pixels",
    ):
        self.store, self.xy, self.word, self.length = store, xy, word, length
        self.spot_diameter, self.um_per_px = spot_diameter, um_per_px
        low, high = xy.min(axis=0) - spot_diameter, xy.max(axis=0) + spot_diameter
        self.x_range: Range = (float(low[0]), float(high[0]))
        self.y_range: Range = (float(low[1]), float(high[1]))

    @property
    @abstractmethod
    def n_drawn(self) -> int:
        """Values that one map holds."""

    @property
    @abstractmethod
    def draws_each(self) -> bool:
        """Whether a map holds a value of each spot, in their order."""

    @property
    @abstractmethod
    def said(self) -> str:
        """How spots are drawn, in words; empty where that need not be said."""

    @abstractmethod
    def drawn(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return what a map draws of one value a spot, shape ``(n_drawn,)``."""

    @abstractmethod
    def gathered(
        self, blocks: Iterable[tuple[NDArray[np.intp], NDArray[np.floating]]], n_columns: int
    ) -> NDArray[np.float32]:
        """Return what maps draw of values that come some spots at a time, shape ``(n_drawn, n_columns)``.

        Parameters
        ----------
        blocks
            Numbers of spots, and their values, shape ``(n_rows, n_columns)``; spots in no block have none.
        """

    def width(self, side: float, digits: int) -> str:
        """Say how wide something is: in µm where the scale is known."""
        return f"{side * self.um_per_px:.{digits}f} µm" if self.um_per_px else f"{side:.{digits}f} {self.length}"

    def keep(self, key: str, values: ArrayLike) -> None:
        """Put one value a spot into the store, as the maps draw it."""
        self.store.numbers(key, self.drawn(values))

    @abstractmethod
    def _numbers(self, key: str, hover: str, how: Spec) -> Spec:
        """Trace that colours the spots by what is kept under ``key``, changed by the page's script as ``how`` says."""

    @abstractmethod
    def _classes(self, key: str, codes: NDArray[np.int64], colours: Mapping[str, str]) -> dict[int, Spec]:
        """Trace by class of the spots of that class (code -1: none), for classes that are seen."""

    @abstractmethod
    def _outlines(self) -> Spec:
        """Trace of where the spots are."""

    def numeric(
        self,
        chart_id: str,
        key: str,
        title: str,
        caption: str,
        axis: Spec,
        *,
        unit: str,
        logarithmic: bool = False,
        times: float = 1.0,
    ) -> Chart:
        """Map of the numbers kept under ``key``; spots without a number are not drawn.

        Parameters
        ----------
        axis
            From :func:`clearspot.report.map_parts.colour_axis`, with the same ``logarithmic``.
        unit
            What a number is, shown beside it when the pointer is over a spot.
        logarithmic
            Colours follow ``log(1 + value)``.
        times
            Colours follow this many times the value: maps of several units can so have one colour axis.
        """
        how: Spec = {"times": times} if times != 1.0 else {}
        if logarithmic:
            how["as"] = "log1p"
        trace = self._numbers(key, f"%{{customdata:,.3~f}} {plot_text(unit)}<extra></extra>", how)
        layout = self._layout(self.x_range, self.y_range) | {"coloraxis": axis}
        return Chart(chart_id, title, caption, {"data": [trace], "layout": layout}, self._ratio(bottom=0.12))

    def classes(self, chart_id: str, labels: pd.Series, colours: Mapping[str, str], title: str, caption: str) -> Chart:
        """Map of classes; spots whose label is missing are not drawn.

        Parameters
        ----------
        labels
            One label a spot.
        colours
            Colour by label, in the order of the legend.
        """
        names = list(colours)
        codes = pd.Categorical(labels.astype("string"), categories=names).codes.astype(np.int64)
        traces = [
            trace | {"name": f"{plot_text(names[number])} ({int((codes == number).sum()):,})", "showlegend": True}
            for number, trace in self._classes(chart_id, codes, colours).items()
        ]
        rows = 1 + len(traces) // 5
        layout = self._layout(self.x_range, self.y_range) | {
            "showlegend": True,
            "legend": {"orientation": "h", "y": -0.01, "yanchor": "top", "itemsizing": "constant"},
        }
        return Chart(chart_id, title, caption, {"data": traces, "layout": layout}, self._ratio(bottom=0.06 * rows))

    def overlay(
        self, chart_id: str, picture: Picture | None, title: str, caption: str, *, hidden: bool = False
    ) -> Chart:
        """Map of the spots on the tissue image, if available; ``hidden``: spots are hidden at first."""
        trace = self._outlines() | {"name": f"{self.word}s (click to {'show' if hidden else 'hide'})"}
        trace |= {"showlegend": True, "visible": "legendonly" if hidden else True}
        x_range, y_range = self.x_range, self.y_range
        if picture is not None:
            x_range, y_range = _within(x_range, picture.width), _within(y_range, picture.height)
        layout = self._layout(x_range, y_range, on_image=picture is not None) | {
            "showlegend": True,
            "legend": {
                "itemsizing": "constant",
                "orientation": "h",
                "x": 1,
                "xanchor": "right",
                "y": -0.01,
                "yanchor": "top",
            },
        }
        if picture is not None:
            layout["images"] = [self.image(picture)]
        spec = {"data": [trace], "layout": layout}
        return Chart(chart_id, title, caption, spec, self._ratio(x_range, y_range, bottom=0.06))

    def image(self, picture: Picture, key: str = "tissue") -> Spec:
        """Return a tissue image, kept under ``key``, as plotly's layout has it, below all traces."""
        return {
            "source": self.store.text(key, picture.address), "xref": "x", "yref": "y", "x": picture.x, "y": picture.y,
            "sizex": picture.width, "sizey": picture.height, "sizing": "stretch", "layer": "below",
        }  # fmt: skip

    def _layout(self, x_range: Range, y_range: Range, *, on_image: bool = False) -> Spec:
        (y0, y1) = y_range
        return {
            "xaxis": {"range": list(x_range), "visible": False, "constrain": "domain"},
            "yaxis": {
                "range": [y1 + _BELOW * (y1 - y0), y0], "visible": False, "scaleanchor": "x", "constrain": "domain",
            },
            "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
            "meta": {"spot": self.spot_diameter, "map": True},
            **scale_bar(x_range, y_range, self.um_per_px, on_image=on_image),
        }  # fmt: skip

    def _ratio(self, x_range: Range | None = None, y_range: Range | None = None, *, bottom: float) -> float:
        (x0, x1), (y0, y1) = x_range or self.x_range, y_range or self.y_range
        return float(np.clip((x1 - x0) / ((1 + _BELOW + bottom) * (y1 - y0)), 0.6, 2.2))


class EachCanvas(Canvas):
    """A canvas that draws each spot with a value of its own, and says its barcode.

    Parameters
    ----------
    barcodes
        What a spot is called when the pointer is over it.
    """

    def __init__(self, store: Store, xy: NDArray[np.float64], barcodes: Sequence[str], **scale: Any):
        super().__init__(store, xy, **scale)
        store.words("barcode", list(barcodes))

    @property
    def n_drawn(self) -> int:
        """Values that one map holds."""
        return len(self.xy)

    @property
    def draws_each(self) -> bool:
        """Always."""
        return True

    def drawn(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the values as they are."""
        return np.asarray(values, dtype=np.float64)

    def gathered(
        self, blocks: Iterable[tuple[NDArray[np.intp], NDArray[np.floating]]], n_columns: int
    ) -> NDArray[np.float32]:
        """Put the blocks together."""
        values = np.full((len(self.xy), n_columns), np.nan, dtype=np.float32)
        for rows, block in blocks:
            values[rows] = block
        return values


def _within(spots: Range, size: float) -> Range:
    """Extent of the spots with some image around them, but no more than there is of either."""
    around = _AROUND * (spots[1] - spots[0])
    return min(spots[0], max(0.0, spots[0] - around)), max(spots[1], min(size, spots[1] + around))
