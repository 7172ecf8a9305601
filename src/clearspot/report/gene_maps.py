"""Maps of genes before and after denoising, with a search over all modelled genes and one colour scale for both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from clearspot.display.format import capitalised
from clearspot.report.blocks import Block, GeneSearch, Notice, Swipe, Text
from clearspot.report.gene_choice import gene_groups, modelled_genes
from clearspot.report.gene_pack import PackedGenes, pack_genes
from clearspot.report.gene_reader import GeneReader
from clearspot.report.map_parts import colour_axis
from clearspot.report.view import SampleView
from clearspot.report.words import denoised_values


def gene_maps(view: SampleView, budget: int) -> list[Block]:
    """Build the search for a gene and the two maps that it drives.

    Parameters
    ----------
    budget
        Bytes that the genes may take in the page.
    """
    data, canvas = view.data, view.canvas
    if data is None or canvas is None or not data.has_denoised:
        return [Notice("The result file has no denoised values, so maps before and after denoising are not available.")]
    modelled, groups = modelled_genes(view), gene_groups(view)
    if not modelled:
        return [Notice("No gene was modelled, so maps before and after denoising are not available.")]
    first = [gene for _, genes in groups for gene in genes]
    others = [gene for gene in modelled if gene not in set(first)]
    reader = GeneReader(canvas, [*first, *others], partial(data.gene_blocks, data.measured_layer), data.denoised_blocks)
    packed = pack_genes(first, others, reader, budget)
    groups = [(heading, [gene for gene in genes if gene in set(packed.names)]) for heading, genes in groups]
    groups = [(heading, genes) for heading, genes in groups if genes]
    if not groups:
        return [Notice("Gene maps would exceed the size limit of this page.")]
    dusted = view.records.steps.get("dusted")
    what = denoised_values({} if dusted is None else dusted.params, view.records.spot_word)
    axis = colour_axis(0.0, packed.highs[0], "counts", logarithmic=True)
    charts = tuple(
        canvas.numeric(f"gene-{name}", f"{name}:$gene", title, caption, axis, unit=unit, logarithmic=True)
        for name, title, caption, unit in (
            ("measured", "Measured", "UMI counts from Space Ranger.", "measured counts"),
            ("denoised", "Denoised", f"{capitalised(what)}, in counts.", "expected counts"),
        )
    )
    return [
        GeneSearch("gene", "Gene", groups, tuple(chart.id for chart in charts), packed),
        Text(_said(view, packed)),
        Swipe("swipe", *charts),
        Text(_missing(packed, modelled)),
    ]


def _said(view: SampleView, packed: PackedGenes) -> str:
    """How many genes there are, and how they are drawn."""
    assert view.canvas is not None
    word = view.records.spot_word.capitalize()
    return (
        f"Both maps share the same colour limits (0 to the larger of the two 99.5 % quantiles, logarithmic)."
        f"{packed.rounding} "
        f"{word}s that failed quality control have no denoised value and are not drawn. {view.canvas.said}"
    ).strip()


def _missing(packed: PackedGenes, modelled: Sequence[str]) -> str:
    """What to do where a gene is not found, and why not all may be there."""
    here = len(set(packed.names) & set(modelled))
    if here == len(modelled):
        all_of_them = f"This page has all {here:,} denoised genes"
    else:
        all_of_them = (
            f"This page has {here:,} of the {len(modelled):,} denoised genes, to stay within the 10 MB that viewers "
            f"can show. Genes of interest, genes that gained most and markers have priority; the result file has all "
            f"genes"
        )
    return (
        f"Gene missing? {all_of_them}. To denoise and show another gene, add it with --genes_of_interest (symbols or "
        f"gene ids separated by commas, or a file) and run again with -resume."
    )
