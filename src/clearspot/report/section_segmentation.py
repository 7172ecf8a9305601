"""The segmentation of cells and nuclei on the tissue image, close enough to be judged by eye."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from clearspot.display.palette import QUALITATIVE
from clearspot.report.blocks import Block, Chart, Spec
from clearspot.report.data import CellOutlines
from clearspot.report.map_parts import scale_bar
from clearspot.report.picture import cut_out
from clearspot.report.view import SampleView

WIDTH_UM: Final = 400.0
"""Of the window: some hundred cells, each large enough to be seen."""

_STEPS: Final = 4
"""Places of the window that are compared along its width."""

_COLOURS: Final = {"cells": QUALITATIVE[0], "nuclei": QUALITATIVE[6]}
_ROOM: Final = 0.07
"""Of the scale bar, at the lower edge of the image, as a share of the window."""


def segmentation_blocks(view: SampleView) -> list[Block]:
    """Draw the outlines where most cells are; nothing for a sample without outlines, scale or image."""
    data, canvas = view.data, view.canvas
    if data is None or canvas is None or view.picture is None or not canvas.um_per_px:
        return []
    cells = data.outlines("cells")
    if cells is None:
        return []
    width = WIDTH_UM / canvas.um_per_px
    low = densest_window(data.xy, width)
    high = low + width
    found = {"cells": cells, "nuclei": data.outlines("nuclei")}
    seen = {name: every.within(low, high) for name, every in found.items() if every is not None}
    traces = [_lines(view, name, outlines) for name, outlines in seen.items() if len(outlines.rows)]
    picture, pixel = cut_out(data, low, high)
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    layout: Spec = {
        "xaxis": {"range": [x0, x1], "visible": False, "constrain": "domain"},
        "yaxis": {"range": [y1, y0], "visible": False, "scaleanchor": "x", "constrain": "domain"},
        "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
        "meta": {"map": True},
        "images": [canvas.image(picture, "segmented tissue")],
        "showlegend": True,
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": -0.01, "yanchor": "top"},
        **scale_bar((x0, x1), (y0, y1 - _ROOM * width), canvas.um_per_px, on_image=True),
    }  # fmt: skip
    left, top = (max(float(edge), 0.0) * canvas.um_per_px / 1000 for edge in low)
    caption = (
        f"The square of {WIDTH_UM:.0f} µm with the most cells ({len(seen['cells'].rows):,}), {left:.1f} mm from the "
        f"left and {top:.1f} mm from the top of the image. The image has {pixel * canvas.um_per_px:.1f} µm per pixel. "
        "In a good segmentation, each nucleus in the image has one outline that follows its edge. The segmentation is "
        "poor if nuclei have no outline, if one outline contains several nuclei, or if outlines lie beside the nuclei. "
        "Click a name in the legend to hide or show its outlines."
    )
    return [Chart("segmentation", "Segmentation", caption, {"data": traces, "layout": layout}, 1 / 1.06)]


def densest_window(xy: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return the corner ``[x, y]`` with the lowest coordinates of the square that holds the most points.

    Parameters
    ----------
    xy
        The points, shape ``(n, 2)``.
    width
        Of the square. Squares that are a quarter of it apart are compared; of equal ones, the first is taken, by rows.
    """
    step = width / _STEPS
    low, high = xy.min(axis=0), xy.max(axis=0)
    # at least one window, also where the points take less room
    bins = np.maximum(np.ceil((high - low) / step).astype(int), _STEPS)
    # a small section is in the middle of its window
    low = low - np.maximum(width - (high - low), 0) / 2
    x_edges, y_edges = (low[axis] + step * np.arange(bins[axis] + 1) for axis in (0, 1))
    count = np.histogram2d(xy[:, 1], xy[:, 0], bins=(y_edges, x_edges))[0]
    windows = sliding_window_view(count, (_STEPS, _STEPS)).sum(axis=(2, 3))
    row, column = np.unravel_index(int(windows.argmax()), windows.shape)
    return np.array([x_edges[column], y_edges[row]])


def _lines(view: SampleView, name: str, outlines: CellOutlines) -> Spec:
    """All outlines as one trace, with a gap after each."""
    x, y = np.concatenate([_with_gap(ring) for ring in outlines.polygons.rings()]).T
    return {
        "type": "scatter", "mode": "lines", "name": f"{name} ({len(outlines.rows):,})", "showlegend": True,
        "x": view.store.numbers(f"{name}:x", x), "y": view.store.numbers(f"{name}:y", y),
        "line": {"color": _COLOURS[name], "width": 1.5}, "hoverinfo": "skip",
    }  # fmt: skip


def _with_gap(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(ring, [[np.nan, np.nan]], axis=0)
