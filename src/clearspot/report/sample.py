"""The report of one sample: one page that opens anywhere and needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from clearspot import keys
from clearspot.io.atomic import atomic_path
from clearspot.report.data import SampleData
from clearspot.report.metrics import read_sample, write_metrics
from clearspot.report.page import LARGEST_PAGE, render
from clearspot.report.rule import Rule
from clearspot.report.rules import RULES
from clearspot.report.section_denoise import denoise_section
from clearspot.report.section_domains import domains_section
from clearspot.report.section_graph import graph_section
from clearspot.report.section_overview import overview_section
from clearspot.report.section_provenance import provenance_section
from clearspot.report.section_qc import qc_section
from clearspot.report.section_superres import superres_section
from clearspot.report.verdict import findings, verdict
from clearspot.report.view import SampleView

_SPARE: Final = 500_000
"""Bytes left for the denoising tab without its genes."""


def write_sample_report(
    h5ad: Path | None,
    records: Iterable[Path],
    out: Path,
    *,
    denoised: Path | None = None,
    superres: Path | None = None,
    rules: Sequence[Rule] = RULES,
) -> None:
    """Write a sample's page, and ``metrics.json`` beside it, each whole or not at all.

    Parameters
    ----------
    h5ad
        The sample's AnnData file; ``None`` for a sample that a step refused, whose page says why.
    records
        Records of the sample's steps (files, or folders of them).
    out
        The page to write.
    denoised
        File with the denoised values, where they were too large for a layer of ``h5ad``.
    superres
        File of super-resolved expression, if there is one.
    rules
        Limits behind the traffic lights.

    Raises
    ------
    ValueError
        If the records are of several samples, or none is given; or there are no data although no step says why.
    """
    gathered = read_sample(records)
    if h5ad is None and gathered.failed_step is None:
        raise ValueError(f"sample {gathered.sample} has no AnnData file, and no record says which step refused it")
    view = SampleView.of(gathered, None if h5ad is None else SampleData(h5ad, denoised), superres)
    found = findings(gathered, rules)
    judged = verdict(gathered, found)
    made = datetime.now(UTC).date()
    underlay = None
    if view.picture is not None and view.canvas is not None:
        underlay = view.canvas.image(view.picture)
    sections = [overview_section(view, found, rules)]
    if view.data is not None:
        sections += [qc_section(view), graph_section(view), domains_section(view), superres_section(view)]
    sections.append(provenance_section(view))
    if view.data is not None:
        # genes take the room that all else leaves
        rest = len(render(gathered.sample, judged, sections, view.store, made=made, underlay=underlay).encode())
        sections.insert(3, denoise_section(view, LARGEST_PAGE - rest - _SPARE))
    page = render(gathered.sample, judged, sections, view.store, made=made, underlay=underlay)
    with atomic_path(out) as partial:
        partial.write_text(page, encoding="utf-8")
    write_metrics(gathered, out.parent / keys.METRICS_NAME, judged)
