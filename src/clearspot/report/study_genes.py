"""One gene in all sections of a study, on one colour scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from clearspot import keys
from clearspot.contract.flags import read_flag
from clearspot.display.format import domain_name
from clearspot.report.blocks import Block, GeneSearch, Notice, ReportSection, Row, Text
from clearspot.report.data import Block as Values
from clearspot.report.gene_choice import Groups, each_once, genes_by_domain
from clearspot.report.gene_pack import PackedGenes, pack_genes
from clearspot.report.gene_reader import GeneReader
from clearspot.report.map_parts import colour_axis
from clearspot.report.section_study import STEP
from clearspot.report.study_view import StudyView

_MARKERS: Final = 10
_CHANGED: Final = 24
_VARIABLE: Final = 24


def study_genes(view: StudyView, budget: int) -> ReportSection:
    """Build the tab of genes.

    Parameters
    ----------
    view
        The study, with the files of its sections, which have the counts.
    budget
        Bytes that the genes may take in the page.

    Raises
    ------
    ValueError
        If spots of the study are in none of the files.
    """
    section = ReportSection("genes", "Genes")
    section.blocks += _blocks(view, budget)
    return section


def _blocks(view: StudyView, budget: int) -> list[Block]:
    groups, variable = _groups(view), _variable(view)
    first = [gene for _, genes in groups for gene in genes]
    others = [gene for gene in variable if gene not in set(first)]
    if not first:
        return [Notice("The study has no variable genes to show.")]
    counts = _Counts(view)
    packed = pack_genes(first, others, GeneReader(view.canvas, [*first, *others], counts), budget)
    here = set(packed.names)
    shown = [(heading, [gene for gene in genes if gene in here]) for heading, genes in groups]
    shown = [(heading, genes) for heading, genes in shown if genes]
    if not shown:
        return [Notice("Gene maps would exceed the size limit of this page.")]
    chart = view.named(
        view.canvas.numeric(
            "gene-measured", "measured:$gene", "Measured",
            f"UMI counts, scaled to the total of the median {view.word} of the study. Totals are those of the shared "
            "genes.",
            colour_axis(0.0, packed.highs[0], "scaled counts", logarithmic=True),
            unit="scaled counts", logarithmic=True,
        )
    )  # fmt: skip
    return [GeneSearch("gene", "Gene", shown, (chart.id,), packed), Text(_said(view, packed)), Row([chart])]


class _Counts:
    """Scaled counts of the study's spots, from the files of its sections."""

    def __init__(self, view: StudyView):
        totals = view.data.obs[keys.TOTAL_COUNTS].to_numpy(dtype=float)
        self._scale = np.median(totals) / np.maximum(totals, 1.0)
        self._sections = view.sections
        found = np.zeros(len(totals), dtype=bool)
        for _, rows in self._sections:
            found[rows[rows >= 0]] = True
        if not found.all():
            raise ValueError(f"{int((~found).sum())} spots of the study are in no file of a section")

    def __call__(self, genes: Sequence[str]) -> Iterator[Values]:
        for data, rows in self._sections:
            for numbers, counts in data.gene_blocks(keys.COUNTS, genes):
                kept = rows[numbers] >= 0
                place = rows[numbers][kept]
                yield place, (counts[kept] * self._scale[place, None]).astype(np.float32)


def _variable(view: StudyView) -> list[str]:
    """Variable genes of the study, the most variable first."""
    var = view.data.var
    ranked = var[keys.HVG_RANK].dropna().sort_values(kind="stable") if keys.HVG_RANK in var else var.iloc[:0, 0]
    return ranked.index.astype(str).tolist()


def _groups(view: StudyView) -> Groups:
    """Genes worth looking at first, each once, under headings."""
    var, records = view.data.var, view.records
    of_interest = var.index[read_flag(var, keys.GENE_OF_INTEREST, table="var")] if keys.GENE_OF_INTEREST in var else []
    changed = records.table(STEP, "differences")
    by_domain = genes_by_domain(records.table(STEP, "markers"))
    named = [
        ("Genes of interest", list(of_interest), len(var)),
        ("Smallest p-values between conditions", list(dict.fromkeys(changed.get("gene", []))), _CHANGED),
        *((f"Markers of {domain_name(name)}", genes, _MARKERS) for name, genes in by_domain.items()),
        ("Most variable", _variable(view), _VARIABLE),
    ]
    return each_once(named, set(var.index))


def _said(view: StudyView, packed: PackedGenes) -> str:
    return (
        f"All sections share the colour limits (0 to the 99.5 % quantile over all of them, logarithmic)."
        f"{packed.rounding} "
        f"{_which(len(packed.names), len(view.data.var))} {view.canvas.said}"
    ).strip()


def _which(here: int, shared: int) -> str:
    """How many genes there are, and how to get another one."""
    if here == shared:
        return f"This page has all {here:,} genes that the sections share."
    return (
        f"This page has {here:,} of the {shared:,} genes that the sections share: those that the box suggests, and the "
        f"most variable ones. To show another gene, add it with --genes_of_interest and run again with -resume."
    )
