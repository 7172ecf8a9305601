"""Distributions of the spots' QC figures, kept spots beside removed ones, with the filter's limit."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.contract.flags import read_flag
from clearspot.display.format import show
from clearspot.display.palette import FAIL, PASS
from clearspot.report.blocks import Chart, Spec
from clearspot.report.canvas import Canvas
from clearspot.report.map_parts import Range
from clearspot.report.metrics import SampleRecords

LOGARITHMIC: Final = frozenset({keys.TOTAL_COUNTS, keys.N_GENES})
"""Columns drawn as ``log(1 + value)``: a violin's density must be taken on the axis that it is drawn on."""

MOST_SPOTS: Final = 8_000
"""Of a violin where spots are not drawn one by one: its shape needs no more, and the page's size bears no more."""

_ALL_POINTS: Final = 200
_RATIO: Final = 1.3


def violin(
    records: SampleRecords, obs: pd.DataFrame, canvas: Canvas, column: str, title: str, unit: str, median: float | None
) -> Chart:
    """Violins of a column of ``obs`` that the canvas keeps as ``obs:<column>``.

    Parameters
    ----------
    records
        For the filter's limit.
    obs
        Table of the spots.
    canvas
        That draws the map of the column.
    column
        Of ``obs``.
    title, unit
        What it is, and what a value is.
    median
        Median of the passing spots, as recorded; ``None``: not shown.
    """
    logarithmic = column in LOGARITHMIC
    passes = read_flag(obs, keys.QC_PASS)
    key, caption = _array(obs, canvas, column)
    data: list[Spec] = []
    for name, code, colour in (("kept", 1, PASS), ("removed", 0, FAIL)):
        number = int((passes == bool(code)).sum())
        if number:
            values: Spec = {"ref": key, "where": "spots:passes", "is": code}
            data.append(
                {
                    "type": "violin", "y": values | ({"as": "log1p"} if logarithmic else {}),
                    "name": f"{name} ({number:,})", "spanmode": "hard", "box": {"visible": True},
                    "points": "all" if number <= _ALL_POINTS else False, "jitter": 0.5, "pointpos": 0,
                    "marker": {"size": 3}, "line": {"color": colour, "width": 1.5}, "hoverinfo": "skip",
                }
            )  # fmt: skip
    layout: Spec = {"yaxis": {"title": {"text": unit}}, "xaxis": {"type": "category"}, "showlegend": False}
    low, high = float(obs[column].min()), float(obs[column].max())
    if logarithmic:
        layout["yaxis"] |= _ticks(low, high)
        caption = f"Logarithmic axis. {caption}"
    if median is not None:
        caption = f"Median of kept: {show(median)} {unit}. {caption}"
    caption += _draw_limit(records, column, layout, (low, high))
    return Chart(f"violin-{column}", title, caption.strip(), {"data": data, "layout": layout}, _RATIO)


def _array(obs: pd.DataFrame, canvas: Canvas, column: str) -> tuple[str, str]:
    """Keep what the violins show; return its key, and words where it is not every spot."""
    if canvas.draws_each:
        canvas.store.numbers("spots:passes", read_flag(obs, keys.QC_PASS).astype(float))
        return f"obs:{column}", ""
    step = math.ceil(len(obs) / MOST_SPOTS)
    canvas.store.numbers("spots:passes", read_flag(obs, keys.QC_PASS).astype(float)[::step])
    canvas.store.numbers(f"spots:{column}", obs[column].to_numpy(dtype=float)[::step])
    return f"spots:{column}", f"Shapes are based on one {canvas.word} in {step}. " if step > 1 else ""


def _ticks(low: float, high: float) -> Spec:
    """Ticks at 1, 3, 10, ...; where that leaves too few, closer ones."""
    for steps in ((10, 30), (10, 20, 50), (10, 15, 20, 30, 50, 70)):
        ticks = [step * 10**decade // 10 for decade in range(8) for step in steps]
        ticks = sorted({tick for tick in ticks if low <= tick <= high})
        if len(ticks) > 2:
            break
    return {"tickvals": np.log1p(np.asarray(ticks, dtype=float)).tolist(), "ticktext": [f"{tick:,}" for tick in ticks]}


def can_remove(column: str, threshold: float, keeps: str) -> bool:
    """Whether a filter may remove anything: none is below 0, and no share is above 100 percent."""
    return threshold > 0 if keeps == "at least" else not (column.startswith("pct_") and threshold >= 100)


def _draw_limit(records: SampleRecords, column: str, layout: Spec, seen: Range) -> str:
    """Add the filter's limit, unless it would press the violins flat; return the words that explain it."""
    filters = records.table("qc", "filters")
    if column not in filters.get("column", []):
        return ""
    row = filters["column"].index(column)
    if not can_remove(column, float(filters["threshold"][row]), filters["keeps"][row]):
        return ""
    limit, keeps = float(filters["threshold"][row]), f"{filters['keeps'][row]} {filters['threshold'][row]:g}"
    low, high, at = (math.log1p(value) if column in LOGARITHMIC else value for value in (*seen, limit))
    if not 2 * low - high <= at <= 2 * high - low:
        return f"The filter limit ({keeps}) is outside this axis."
    line = {"color": "$ink", "dash": "dot", "width": 1.5}
    layout["shapes"] = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": at, "y1": at, "line": line}]
    return f"Dotted line: filter limit ({keeps})."
