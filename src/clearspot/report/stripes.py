"""Stripes of Visium HD on the quality control tab: the profile of rows and columns."""

from __future__ import annotations

import numpy as np

from clearspot.display.format import show
from clearspot.display.palette import FAIL, PASS
from clearspot.report.blocks import Block, Chart
from clearspot.report.view import SampleView


def stripe_blocks(view: SampleView) -> list[Block]:
    """Profile of the rows' and columns' factors; empty for spots and cells."""
    table = view.records.table("qc", "stripes")
    if not table:
        return []
    axis, number, factor = (np.asarray(table[name]) for name in ("axis", "number", "factor"))
    rows = show(view.records.metric("qc", "row_stripes_percent"), "percent")
    columns = show(view.records.metric("qc", "column_stripes_percent"), "percent")
    said = f"Rows of bins differ by {rows} from their nearest rows, columns by {columns} (standard deviation)."
    if view.records.metric("qc", "is_destriped"):
        left = show(view.records.metric("qc", "stripes_left_percent"), "percent")
        said += f" They were removed (layers['destriped']); {left} remains."
    data = [
        {
            "type": "scatter", "mode": "lines", "name": f"{name}s", "x": number[axis == name].tolist(),
            "y": factor[axis == name].tolist(), "line": {"color": colour, "width": 1},
            "hovertemplate": name + " %{x}: %{y:.3f}<extra></extra>",
        }
        for name, colour in (("row", PASS), ("column", FAIL))
    ]  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "row or column of the array"}},
        "yaxis": {"title": {"text": "counts / nearest rows or columns"}},
        "showlegend": True, "margin": {"l": 55, "r": 10, "t": 10, "b": 40},
    }  # fmt: skip
    return [Chart("stripes", "Stripes", said, {"data": data, "layout": layout}, 1.9)]
