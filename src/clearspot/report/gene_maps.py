"""Maps of genes before and after denoising, with a search over all modelled genes and one colour scale for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearspot.display.format import capitalised
from clearspot.report.blocks import Block, GeneSearch, Notice, Swipe, Text
from clearspot.report.gene_choice import gene_groups, modelled_genes
from clearspot.report.gene_pack import LEVELS, PackedGenes, pack_genes
from clearspot.report.map_parts import colour_axis
from clearspot.report.view import SampleView
from clearspot.report.words import denoised_values

VALUES_AT_ONCE: Final = 15_000_000
"""Values of maps that are held in memory at once: a thousand genes of the most cells that there are."""


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
    packed = pack_genes(first, others, _Maps(view, [*first, *others]), budget)
    groups = [(heading, [gene for gene in genes if gene in set(packed.names)]) for heading, genes in groups]
    groups = [(heading, genes) for heading, genes in groups if genes]
    if not groups:
        return [Notice("Gene maps would exceed the size limit of this page.")]
    dusted = view.records.steps.get("dusted")
    what = denoised_values({} if dusted is None else dusted.params)
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


class _Maps:
    """Reads maps, many genes at a time: each pass over a sparse layer reads all of it.

    Parameters
    ----------
    view
        With data and canvas.
    order
        Genes in the order in which they will be requested.
    """

    def __init__(self, view: SampleView, order: Sequence[str]):
        assert view.data is not None
        assert view.canvas is not None
        self._data, self._canvas = view.data, view.canvas
        self._order = list(order)
        self._at_once = max(VALUES_AT_ONCE // max(view.canvas.n_drawn, 1), 1)
        self._held: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {}

    def __call__(self, names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        missing = [name for name in names if name not in self._held]
        if missing:
            self._held = {name: self._held[name] for name in names if name in self._held}
            self._hold(missing)
        held = [self._held[name] for name in names]
        return np.stack([pair[0] for pair in held], axis=1), np.stack([pair[1] for pair in held], axis=1)

    def _hold(self, names: Sequence[str]) -> None:
        start = self._order.index(names[0])
        ahead = self._order[start : start + max(self._at_once - len(names), 0)]
        wanted = [name for name in dict.fromkeys([*names, *ahead]) if name not in self._held]
        measured, denoised = (
            self._canvas.gathered(blocks, len(wanted))
            for blocks in (
                self._data.gene_blocks(self._data.measured_layer, wanted),
                self._data.denoised_blocks(wanted),
            )
        )
        self._held |= {name: (measured[:, number], denoised[:, number]) for number, name in enumerate(wanted)}


def _said(view: SampleView, packed: PackedGenes) -> str:
    """How many genes there are, and how they are drawn."""
    assert view.canvas is not None
    word = view.records.spot_word.capitalize()
    rounded = (
        ""
        if packed.levels == LEVELS[0]
        else f" Genes other than those listed first are rounded to {packed.levels} steps of the colour scale."
    )
    return (
        f"Both maps share the same colour limits (0 to the larger of the two 99.5 % quantiles, logarithmic).{rounded} "
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
