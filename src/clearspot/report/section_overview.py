"""First page: verdict, where the spots lie on the tissue, key numbers under 10x's own names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from clearspot.contract.metric import Metric
from clearspot.contract.metrics_of_space_ranger import SPACE_RANGER, STATED
from clearspot.contract.steps import get_step
from clearspot.display.format import show, show_metric
from clearspot.report.blocks import (
    Block,
    Columns,
    Finding,
    KeyNumber,
    KeyNumbers,
    Lights,
    Notice,
    Problems,
    ReportSection,
    Table,
    Text,
)
from clearspot.report.metrics import SampleRecords
from clearspot.report.rule import Rule
from clearspot.report.verdict import what_happened
from clearspot.report.view import SampleView

_INPUT_STEPS: Final = ("samplesheet", "check", "ingest", "qc")
"""Steps whose remarks belong here; the others' stand on their own tabs."""

_MEASURED_HERE: Final = {
    "number_of_spots_under_tissue": ("ingest", "n_in_tissue"),
    "median_umi_counts_per_spot": ("ingest", "median_umi_per_spot"),
    "median_genes_per_spot": ("ingest", "median_genes_per_spot"),
    "total_genes_detected": ("ingest", "n_genes_detected"),
}
"""Space Ranger's figures that clearspot measures too: their names -> step and metric."""


def overview_section(view: SampleView, found: Sequence[Finding], rules: Sequence[Rule] = ()) -> ReportSection:
    """Build the first page."""
    records = view.records
    section = ReportSection("overview", "Overview")
    if records.problems:
        section.blocks += [
            Text(f"{what_happened(records)} There are no result files."),
            Problems(records.problems),
        ]
    first: list[Block] = [Lights(found)] if found else []
    overlay = _overlay(view)
    numbers = key_numbers(records)
    if numbers:
        first += [Text("Key metrics, named as in Space Ranger:"), KeyNumbers(numbers)]
        if not records.space_ranger:
            first.append(
                Notice("The Space Ranger output has no metrics_summary.csv, so sequencing metrics are not available.")
            )
    section.blocks += [Columns(first, overlay)] if first and overlay else [*first, *overlay]
    said = [
        Finding("info", get_step(step).title, "", message.text)
        for step, message in records.messages()
        if step in _INPUT_STEPS and message.level != "warning"
    ]
    if said:
        section.blocks += [Text("Remarks on the input, and how it was handled:"), Lights(said)]
    if records.failed_step is None and rules:
        section.blocks.append(_limits(records, rules))
    return section


def _limits(records: SampleRecords, rules: Sequence[Rule]) -> Table:
    """What each figure was held against, and where the limits come from."""
    rows = [
        (
            records.title(rule.declared),
            show_metric(records.metric(rule.step, rule.metric), rule.declared),
            *("" if limit is None else f"{rule.worse} {show(limit, rule.kind)}" for limit in (rule.look, rule.bad)),
            rule.source,
        )
        for rule in rules
        if rule.applies(records)
    ]
    return Table(
        "Limits and their sources", ("Metric", "Value", "Look first", "Do not use", "Source"), rows, folded=True
    )


def key_numbers(records: SampleRecords) -> list[KeyNumber]:
    """Figures under 10x's own names: Space Ranger's where it states them, else measured by clearspot and marked so."""
    numbers = []
    for metric in STATED:
        here = _measured_here(records, metric)
        stated = records.metric(SPACE_RANGER, metric.name)
        if stated is not None:
            numbers.append(KeyNumber(records.title(metric), show_metric(stated, metric), "Space Ranger"))
        elif here is not None:
            numbers.append(KeyNumber(_title(records, metric), show_metric(here, metric), "computed by clearspot"))
    return numbers


def _measured_here(records: SampleRecords, metric: Metric) -> Any:
    place = _MEASURED_HERE.get(metric.name)
    return None if place is None else records.metric(*place)


def _title(records: SampleRecords, metric: Metric) -> str:
    if records.bin_um is None:
        return metric.title_for(records.spot_word)
    return metric.title.replace("Spots", f"{records.bin_um:g} µm Bins").replace("Spot", "Bin")


def _overlay(view: SampleView) -> list[Block]:
    if view.canvas is None:
        return []
    blocks: list[Block] = []
    word = view.records.spot_word.capitalize()
    if view.picture is None:
        blocks.append(
            Notice(f"{view.picture_note} {word}s are drawn without an image, so the alignment cannot be checked here.")
        )
    if view.canvas.um_per_px is None:
        blocks.append(Notice("The pixel size of this sample is unknown, so maps have no scale bar."))
    blocks.append(
        view.canvas.overlay(
            "overlay",
            view.picture,
            f"{word}s on the tissue" if view.picture else f"{word}s",
            f"{view.picture_note} {word}s should lie on tissue and follow its outline. {view.canvas.said}".strip()
            if view.picture
            else view.canvas.said,
        )
    )
    return blocks
