"""What every section of a study's page draws from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.contract.places import place_word
from clearspot.report.blocks import Chart, plot_text
from clearspot.report.canvas import Canvas
from clearspot.report.canvas_kinds import make_canvas, too_many
from clearspot.report.data import SampleData
from clearspot.report.metrics import SampleRecords
from clearspot.report.store import Store
from clearspot.report.study_layout import lay_out, rows_in_study, study_sections

_NAMES: Final = 0.05
"""Room for the names of the lowest sections, as a share of the map's height: the scale bar is below them."""


@dataclass
class StudyView:
    """A study's record, and its data.

    Parameters
    ----------
    records
        The record of the step ``study``.
    data
        The study's ``.h5ad``.
    sections
        The ``.h5ad`` of each section, and the number in the study of each of its spots, -1 for none.
    store
        Arrays of the page.
    canvas
        Draws all sections in one map.
    names
        Name of each section, with the place below it.
    """

    records: SampleRecords
    data: SampleData
    sections: list[tuple[SampleData, NDArray[np.intp]]]
    canvas: Canvas
    names: list[tuple[str, float, float]]
    store: Store = field(default_factory=Store)

    @classmethod
    def of(cls, records: SampleRecords, h5ad: Path, files: Sequence[Path] = ()) -> StudyView:
        """Lay the sections of a study out; without their files, cells have no outlines."""
        data, store = SampleData(h5ad), Store()
        read = [SampleData(path) for path in files]
        sections = [(section, rows_in_study(data, section)) for section in read]
        known = study_sections(data, sections)
        layout = lay_out(known, all_shapes=too_many(len(data.xy)))
        units = {section.unit for section in known}
        canvas = make_canvas(
            store,
            layout.xy,
            list(data.obs.index.astype(str)),
            spot_diameter=layout.spot_diameter,
            um_per_px=layout.um_per_unit,
            word=place_word(units.pop(), None) if len(units) == 1 else "spot",
            outlines=layout.shapes,
            length="spot diameters",
        )
        if layout.um_per_unit:
            y0, y1 = canvas.y_range
            canvas.y_range = (y0, y1 + _NAMES * (y1 - y0))
        return cls(records, data, sections, canvas, layout.names, store)

    @property
    def word(self) -> str:
        """What a place is called: ``bin`` or ``cell`` where all sections are so measured, else ``spot``."""
        return self.canvas.word

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
