"""Tables of the cohort report: their columns, and metrics of one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clearspot.contract.metric import Kind, of_places
from clearspot.contract.metrics import get_metric
from clearspot.display.format import show
from clearspot.report import mqc
from clearspot.report.metrics import SampleRecords, common_place


def column(title: str, description: str, kind: Kind) -> dict[str, Any]:
    """Return a column's header; shares are in percent, see :func:`clearspot.report.mqc.shown`."""
    header: dict[str, Any] = {"title": title, "description": description, "scale": False}
    formats: dict[Kind, dict[str, Any]] = {
        "count": {"format": "{:,.0f}"},
        "number": {"format": "{:,}"},
        "score": {"format": "{:,.4f}"},
        "percent": {"format": "{:,.1f}", "suffix": " %"},
        "fraction": {"format": "{:,.1f}", "suffix": " %"},
        "skill": {"format": "{:,.1f}", "suffix": " %"},
        "text": {},
        "flag": {},
    }
    return header | formats[kind]


def metrics_table(
    records: Sequence[SampleRecords] | Mapping[str, SampleRecords],
    step: str,
    names: Sequence[str],
    section_id: str,
    title: str,
    description: str,
    *,
    first: str = "Sample",
) -> mqc.CustomContent:
    """Table of a step's metrics, a column each.

    Parameters
    ----------
    records
        A row each, by its label; of a sequence, labels are names of the samples.
    step, names
        Which metrics.
    section_id, title, description
        Of the section.
    first
        Title of the first column.
    """
    labelled = records if isinstance(records, Mapping) else {one.sample: one for one in records}
    metrics = {name: get_metric(step, name) for name in names}
    rows = {}
    for label, one in labelled.items():
        row = {name: _cell(one.metric(step, name), metric.kind) for name, metric in metrics.items()}
        known = {name: value for name, value in row.items() if value is not None}
        if known:
            rows[label] = known
    place = common_place(labelled[label] for label in rows)
    headers = {
        name: column(of_places(metric.label, place), of_places(metric.meaning, place), metric.kind)
        for name, metric in metrics.items()
    }
    return mqc.table(section_id, title, description, rows, headers, first=first)


def _cell(value: Any, kind: Kind) -> Any:
    return show(value, kind) if isinstance(value, bool) else mqc.shown(value, kind)
