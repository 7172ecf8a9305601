"""First page: verdict, where the spots lie on the tissue, key numbers under 10x's own names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clearspot.report.blocks import (
    Block,
    Columns,
    Finding,
    KeyNumber,
    KeyNumbers,
    Lights,
    Notice,
    Problems,
    Section,
    Text,
)
from clearspot.report.format import Format, show
from clearspot.report.metrics import SampleRecords
from clearspot.report.view import SampleView

_INPUT_STEPS: Final = {
    "samplesheet": "Samplesheet", "check": "Check of the input", "ingest": "Reading", "qc": "Quality control",
}  # fmt: skip
"""Steps whose remarks belong here; the others' stand on their own tabs."""

# Space Ranger's name, where the same figure is measured here, how it is shown.
_SPOT_NUMBERS: Final[tuple[tuple[str, tuple[str, str] | None, Format], ...]] = (
    ("Number of Spots Under Tissue", ("ingest", "n_in_tissue"), "count"),
    ("Median UMI Counts per Spot", ("ingest", "median_umi_per_spot"), "count"),
    ("Median Genes per Spot", ("ingest", "median_genes_per_spot"), "count"),
    ("Total Genes Detected", ("ingest", "n_genes_detected"), "count"),
    ("Mean Reads per Spot", None, "count"),
    ("Number of Reads", None, "count"),
    ("Sequencing Saturation", None, "fraction"),
    ("Valid Barcodes", None, "fraction"),
    ("Fraction Reads in Spots Under Tissue", None, "fraction"),
    ("Fraction of Spots Under Tissue", None, "fraction"),
    ("Reads Mapped Confidently to Transcriptome", None, "fraction"),
    ("Reads Mapped Confidently to Probe Set", None, "fraction"),
)


def overview_section(view: SampleView, found: Sequence[Finding]) -> Section:
    """Build the first page."""
    records = view.records
    section = Section("overview", "Overview")
    if records.problems:
        section.blocks += [
            Text(f"The {records.failed_step} step refused this sample. Nothing was computed from it."),
            Problems(records.problems),
        ]
    lights: list[Block] = [Lights(found)] if found else []
    overlay = _overlay(view)
    section.blocks += [Columns(lights, overlay)] if lights and overlay else [*lights, *overlay]
    numbers = key_numbers(records)
    if numbers:
        section.blocks += [Text("Key numbers, under the names that Space Ranger gives them:"), KeyNumbers(numbers)]
        if not records.space_ranger:
            section.blocks.append(
                Notice("The sample came without metrics_summary.csv, so Space Ranger's sequencing figures are missing.")
            )
    said = [
        Finding("info", _INPUT_STEPS[step], "", message.text)
        for step, message in records.messages()
        if step in _INPUT_STEPS and message.level != "warning"
    ]
    if said:
        section.blocks += [Text("Odd things about the input, and what was done about them:"), Lights(said)]
    return section


def key_numbers(records: SampleRecords) -> list[KeyNumber]:
    """Figures under 10x's own names: Space Ranger's where it states them, else measured here and marked so."""
    stated = records.space_ranger
    bins = records.bin_um is not None
    numbers = []
    for name, measured, form in _SPOT_NUMBERS:
        here = None if measured is None else records.metric(*measured)
        if name in stated:
            numbers.append(KeyNumber(name, show(stated[name], form), "Space Ranger"))
        elif here is not None:
            shown = name.replace("Spots", f"{records.bin_um:g} µm Bins").replace("Spot", "Bin") if bins else name
            numbers.append(KeyNumber(shown, show(here, form), "measured here"))
    return numbers


def _overlay(view: SampleView) -> list[Block]:
    if view.canvas is None:
        return []
    blocks: list[Block] = []
    word = view.records.spot_word.capitalize()
    if view.picture is None:
        blocks.append(Notice(f"{view.picture_note} {word}s are drawn without it, so alignment cannot be judged here."))
    if view.canvas.um_per_px is None:
        blocks.append(Notice("Micrometres per pixel are not known for this sample: maps have no scale bar."))
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
