"""The page of a study: its sections side by side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clearspot import keys
from clearspot.contract.metrics import metrics_of
from clearspot.display.format import show, show_metric
from clearspot.io.atomic import atomic_path
from clearspot.report.blocks import Finding, ReportSection, Table, Text
from clearspot.report.metrics import read_studies, write_metrics
from clearspot.report.page import LARGEST_PAGE, render
from clearspot.report.section_study import STEP, study_domains, study_overview
from clearspot.report.section_study_compared import study_differences, study_integration
from clearspot.report.study_genes import study_genes
from clearspot.report.study_view import StudyView

_SPARE: Final = 100_000
"""Bytes left for the tab of genes without its genes."""


def write_study_report(h5ad: Path, record: Path, out: Path, sections: Sequence[Path] = ()) -> None:
    """Write a study's page, and ``metrics.json`` beside it, each whole or not at all.

    Parameters
    ----------
    h5ad
        The study's AnnData file.
    record
        Record of the step ``study``.
    out
        The page to write.
    sections
        The ``.h5ad`` of each section of the study, for maps of genes and outlines of cells; without them, the
        page has no such maps, and cells are disks.
    """
    (records,) = read_studies([record])
    view = StudyView.of(records, h5ad, sections)
    judged = _judged(view)
    parts = [study_overview(view), study_domains(view), study_integration(view), study_differences(view), _all(view)]
    made = datetime.now(UTC).date()
    page = render(records.sample, judged, parts, view.store, made=made, underlay=None, kind="study")
    if sections:
        # genes take the room that all else leaves
        budget = LARGEST_PAGE - len(page.encode()) - _SPARE
        parts.insert(2, study_genes(view, budget))
        page = render(records.sample, judged, parts, view.store, made=made, underlay=None, kind="study")
    with atomic_path(out) as partial:
        partial.write_text(page, encoding="utf-8")
    write_metrics(records, out.parent / keys.METRICS_NAME, judged)


def _judged(view: StudyView) -> Finding:
    """What stands at the head of the page: whether anything must be looked at first."""
    warnings = [one.text for one in view.records.steps[STEP].messages if one.level == "warning"]
    n_sections, n_domains = (view.records.metric(STEP, name) for name in ("n_sections", "n_domains"))
    text = f"{n_sections} sections, {n_domains} shared domains."
    if warnings:
        return Finding("look", "Look before use.", "", f"{text} {warnings[0]}")
    return Finding("info", "Study.", "", text)


def _all(view: StudyView) -> ReportSection:
    record = view.records.steps[STEP]
    section = ReportSection("provenance", "Provenance")
    section.blocks.append(
        Text("All values below, and the tables behind the charts, are in metrics.json next to this page.")
    )
    params = [(name, "automatic" if value is None else show(value)) for name, value in sorted(record.params.items())]
    metrics = [
        (metric.name, metric.title, show_metric(record.metrics[metric.name], metric))
        for metric in metrics_of(STEP)
        if metric.name in record.metrics
    ]
    section.blocks.append(Table("Parameters", ("Parameter", "Value"), params))
    section.blocks.append(Table("Metrics", ("Name", "Metric", "Value"), metrics))
    return section
