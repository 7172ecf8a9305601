"""Parts of a map: scale bar, colour axis, a heatmap of one colour."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from clearspot.display.palette import SEQUENTIAL
from clearspot.report.blocks import Spec, plot_text

_SCALE_BARS_UM: Final = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_TICKS: Final = (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)

Range = tuple[float, float]


def scale_bar(x_range: Range, y_range: Range, um_per_px: float | None, *, on_image: bool = False) -> Spec:
    """Layout parts that draw a scale bar of a round length below the map, or nothing where the scale is not known.

    Parameters
    ----------
    x_range, y_range
        Of the map, in full-resolution pixels.
    um_per_px
        µm per full-resolution pixel.
    on_image
        Dark on a white edge, legible on any picture, in place of the theme's colours.
    """
    if not um_per_px:
        return {}
    (x0, x1), (y0, y1) = x_range, y_range
    longest = 0.3 * (x1 - x0) * um_per_px
    length_um = max((um for um in _SCALE_BARS_UM if um <= longest), default=_SCALE_BARS_UM[0])
    start, length, y = x0 + 0.02 * (x1 - x0), length_um / um_per_px, y1 + 0.025 * (y1 - y0)
    words = f"{length_um / 1000:g} mm" if length_um >= 1000 else f"{length_um} µm"
    ends: dict[str, Any] = {"x0": start, "x1": start + length, "y0": y, "y1": y}
    label = {
        "x": start + length, "y": y, "xref": "x", "yref": "y", "text": words, "showarrow": False,
        "xanchor": "left", "yanchor": "middle", "xshift": 6, "font": {"color": "$ink", "size": 12},
    }  # fmt: skip
    lines = [{"color": "$ink", "width": 3}]
    if on_image:
        lines = [{"color": "#ffffff", "width": 7}, {"color": "#000000", "width": 3}]
        label |= {"bgcolor": "rgba(255,255,255,0.8)", "font": {"color": "#000000", "size": 12}}
    shapes = [{"type": "line", "xref": "x", "yref": "y", **ends, "line": line} for line in lines]
    return {"shapes": shapes, "annotations": [label]}


def colour_axis(low: float, high: float, title: str, *, logarithmic: bool = False) -> Spec:
    """Settings of a colour axis from ``low`` to ``high``.

    Parameters
    ----------
    low, high
        Limits, in values.
    title
        What the colours are.
    logarithmic
        Colours follow ``log(1 + value)``; tick labels are values.
    """
    bar: Spec = {
        "orientation": "h", "thickness": 10, "len": 0.9, "x": 0.5, "y": -0.01, "yanchor": "top", "outlinewidth": 0,
        "title": {"text": plot_text(title), "side": "top", "font": {"size": 12}}, "tickangle": 0,
    }  # fmt: skip
    high = max(high, low + 1e-9)
    if logarithmic:
        ticks: list[float] = [value for value in _TICKS if low <= value <= high]
        if len(ticks) < 3:
            ticks = sorted({float(f"{low + share * (high - low):.2g}") for share in (0, 0.25, 0.5, 1)})
        bar |= {"tickvals": [math.log1p(value) for value in ticks], "ticktext": [f"{value:,g}" for value in ticks]}
        low, high = math.log1p(low), math.log1p(high)
    return {"colorscale": SEQUENTIAL, "cmin": low, "cmax": high, "colorbar": bar}


def one_colour(colour: str) -> Spec:
    """Settings of a heatmap whose cells all have the same colour."""
    return {"colorscale": [[0, colour], [1, colour]], "showscale": False}


def upper_limit(*values: ArrayLike) -> float:
    """Upper colour limit of maps that share one: the largest of the arrays' 99.5 % quantiles, in values.

    An array whose quantile is 0 counts with its maximum: a gene seen in fewer places than the quantile leaves out would
    be a blank map.
    """
    highest = 0.0
    for array in values:
        numbers = np.asarray(array, dtype=np.float64)
        known = numbers[np.isfinite(numbers)]
        if known.size:
            quantile = float(np.quantile(known, 0.995))
            highest = max(highest, quantile if quantile > 0 else float(known.max()))
    return highest or 1.0
