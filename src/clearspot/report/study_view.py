"""What every section of a study's page draws from: sections side by side on one scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot import keys
from clearspot.report.blocks import Chart, plot_text
from clearspot.report.canvas import Canvas
from clearspot.report.canvas_kinds import make_canvas
from clearspot.report.data import SampleData
from clearspot.report.metrics import SampleRecords
from clearspot.report.store import Store

GAP: Final = 0.12
"""Room between sections, as a share of the largest one."""

NAME_ROOM: Final = 2.0
"""Further room below each section, for its name, in spots."""


@dataclass
class StudyView:
    """A study's record, and its data.

    Parameters
    ----------
    records
        The record of the step ``study``.
    data
        The study's ``.h5ad``.
    store
        Arrays of the page.
    canvas
        Draws all sections in one map; lengths are in spot diameters.
    names
        Name of each section, with the place below it.
    """

    records: SampleRecords
    data: SampleData
    canvas: Canvas
    names: list[tuple[str, float, float]]
    store: Store = field(default_factory=Store)

    @classmethod
    def of(cls, records: SampleRecords, h5ad: Path) -> StudyView:
        """Lay the sections of a study out."""
        data, store = SampleData(h5ad), Store()
        xy, names = _laid_out(data)
        canvas = make_canvas(
            store, xy, list(data.obs.index.astype(str)), spot_diameter=1.0, um_per_px=None, word=records.spot_word
        )
        return cls(records, data, canvas, names, store)

    def named(self, chart: Chart) -> Chart:
        """A map with the name of each section below it."""
        labels = [
            {
                "x": x, "y": y, "xref": "x", "yref": "y", "text": plot_text(name), "showarrow": False,
                "xanchor": "center", "yanchor": "top", "font": {"color": "$ink", "size": 12},
            }
            for name, x, y in self.names
        ]  # fmt: skip
        chart.spec["layout"].setdefault("annotations", []).extend(labels)
        return chart


def _laid_out(data: SampleData) -> tuple[NDArray[np.float64], list[tuple[str, float, float]]]:
    """Places in spot diameters, section by section in rows, and the names' places below them."""
    sections = data.obs[keys.SAMPLE_ID].astype(str).to_numpy()
    order = list(dict.fromkeys(sections))
    placed = {}
    for name in order:
        xy = data.xy[sections == name]
        placed[name] = (xy - xy.min(axis=0)) / _spot_pixels(xy)
    cell = (1 + GAP) * np.max([xy.max(axis=0) for xy in placed.values()], axis=0) + [0, NAME_ROOM]
    n_columns = math.ceil(math.sqrt(len(order) * max(cell[1], 1.0) / max(cell[0], 1.0)))
    whole = np.empty_like(data.xy)
    names = []
    for number, name in enumerate(order):
        corner = np.array([number % n_columns, number // n_columns]) * cell
        whole[sections == name] = placed[name] + corner
        names.append(
            (name, float(corner[0] + placed[name][:, 0].max() / 2), float(corner[1] + placed[name][:, 1].max() + 0.6))
        )
    return whole, names


def _spot_pixels(xy: NDArray[np.float64]) -> float:
    """Distance that stands for a spot: of the pitch of its places, which all sections of one assay share."""
    from scipy.spatial import KDTree

    distance = KDTree(xy).query(xy, k=2)[0][:, 1]
    return float(np.median(distance)) / 1.5 or 1.0
