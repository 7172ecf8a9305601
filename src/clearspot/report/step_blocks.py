"""Blocks that any step's section is made of: its key numbers, what it notes, why it has no result."""

from __future__ import annotations

from clearspot.contract.metrics import get_metric
from clearspot.contract.steps import get_step
from clearspot.display.format import show_metric
from clearspot.report.blocks import Block, KeyNumber, Notice, Problems
from clearspot.report.metrics import SampleRecords


def key_number(records: SampleRecords, step: str, name: str, note: str = "", word: str | None = None) -> KeyNumber:
    """Return a metric under its declared title, with its unit; ``word``: what the places of a study are called."""
    metric = get_metric(step, name)
    title = records.title(metric) if word is None else metric.title_for(word)
    return KeyNumber(title, show_metric(records.metric(step, name), metric), note)


def notices(records: SampleRecords, step: str) -> list[Notice]:
    """Return what a step wants its reader to know."""
    messages = records.steps[step].messages
    return [Notice(message.text, "look" if message.level == "warning" else "info") for message in messages]


def structure_notice(records: SampleRecords) -> list[Notice]:
    """Say above maps that they are no findings, where the counts have no pattern over the tissue; else nothing."""
    if records.metric("graph", "has_spatial_structure") is not False:
        return []
    return [Notice("No spatial structure was found in the counts. Do not interpret these maps.", "bad")]


def without_result(records: SampleRecords, step: str) -> list[Block]:
    """Say why there is nothing to show of a step: it refused its input, failed, or did not run."""
    title, record = get_step(step).title, records.steps.get(step)
    if record is None:
        return [Notice(f"{title}: not run for this sample.")]
    said = "a task failed" if record.status == "failed" else "the input was refused"
    return [Notice(f"{title}: {said}.", "look"), Problems(record.problems)]
