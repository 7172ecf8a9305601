"""Provenance: every figure and parameter of every step, versions, seeds, hashes."""

from __future__ import annotations

from typing import Any, Final

from clearspot import keys
from clearspot.contract.metrics import metrics_of
from clearspot.contract.steps import get_step
from clearspot.display.format import show, show_metric
from clearspot.report.blocks import Block, Notice, ReportSection, Table, Text
from clearspot.report.view import SampleView

_AUTOMATIC: Final = "automatic"
"""A parameter that was not set."""


def provenance_section(view: SampleView) -> ReportSection:
    """Build the provenance tab."""
    section = ReportSection("provenance", "Provenance")
    section.blocks.append(
        Text("All values below, and the tables behind the charts, are in metrics.json next to this page.")
    )
    section.blocks += _from_file(view)
    for step, record in view.records.steps.items():
        title = get_step(step).title
        params = [(name, _AUTOMATIC if value is None else show(value)) for name, value in sorted(record.params.items())]
        if params:
            section.blocks.append(Table(f"{title}: parameters", ("Parameter", "Value"), params, folded=True))
        metrics = [
            (metric.name, view.records.title(metric), show_metric(record.metrics[metric.name], metric))
            for metric in metrics_of(step)
            if metric.name in record.metrics
        ]
        if metrics:
            section.blocks.append(Table(f"{title}: metrics", ("Name", "Metric", "Value"), metrics, folded=True))
    stated = view.records.space_ranger
    if stated:
        rows = [(name, show(value)) for name, value in stated.items()]
        section.blocks.append(Table("Space Ranger's metrics_summary.csv", ("Metric", "Value"), rows, folded=True))
    return section


def _from_file(view: SampleView) -> list[Block]:
    """What the .h5ad itself says about how it came about."""
    if view.data is None:
        return [Notice("The sample was not processed, so there is no result file with versions.")]
    flat = list(_flat(view.data.provenance))
    if not flat:
        return [Notice("The result file does not contain versions.")]
    return [Table("Stored in the result file (uns['clearspot'])", ("Entry", "Value"), flat)]


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, item in sorted(value.items()):
        if name in (keys.OUTSIDE_TISSUE, keys.REGISTRATION_PICTURES):
            continue  # thousands of numbers, which the quality control tab draws
        if isinstance(item, dict):
            rows += _flat(item, f"{before}{name}.")
        else:
            rows.append(
                (
                    f"{before}{name}",
                    show(item.item() if hasattr(item, "item") and getattr(item, "ndim", 1) == 0 else item),
                )
            )
    return rows
