"""Maps of genes before and after denoising, with one choice of gene and one colour scale for both."""

from __future__ import annotations

from typing import Final

from clearspot import keys
from clearspot.contract.flags import read_flag
from clearspot.report.blocks import Block, Notice, Picker, Spec, Swipe, Text
from clearspot.report.format import capitalised
from clearspot.report.map_parts import colour_axis, upper_limit
from clearspot.report.view import SampleView
from clearspot.report.words import denoised_values

VALUES_BUDGET: Final = 600_000
"""Values of gene maps in a page (16 bits each, in base64): about 1.6 MB."""

MOST_GENES: Final = 48
_SPATIAL_GENES: Final = 24


def gene_groups(view: SampleView, most: int) -> list[tuple[str, list[str]]]:
    """Genes worth drawing: those asked for, then the most spatially variable, then the most variable ones.

    Only genes that were modelled, each once, ``most`` in all (genes asked for come first).
    """
    if view.data is None:
        return []
    var = view.data.var
    modelled = set(var.index[read_flag(var, keys.MODELLED, table="var")]) if keys.MODELLED in var else set(var.index)
    wanted = var.index[read_flag(var, keys.GENE_OF_INTEREST, table="var")] if keys.GENE_OF_INTEREST in var else []
    moran = view.records.table("domains", "moran")
    ranked = sorted(
        (-value, gene)
        for gene, value in zip(moran.get("gene", []), moran.get("measured", []), strict=True)
        if value is not None
    )
    variable = var[keys.HVG_RANK].dropna().sort_values().index if keys.HVG_RANK in var else []
    groups: list[tuple[str, list[str]]] = []
    taken: set[str] = set()
    for heading, genes, limit in (
        ("Genes of interest", list(wanted), most),
        ("Most spatially variable (Moran's I of the measured values)", [gene for _, gene in ranked], _SPATIAL_GENES),
        ("Most variable", list(variable), most),
    ):
        chosen = [gene for gene in genes if gene in modelled and gene not in taken][: min(limit, most - len(taken))]
        taken.update(chosen)
        if chosen:
            groups.append((heading, chosen))
    return groups


def gene_maps(view: SampleView) -> list[Block]:
    """Build the gene picker and the two maps that it drives."""
    data, canvas = view.data, view.canvas
    if data is None or canvas is None or not data.has_denoised:
        return [Notice("The result file holds no denoised values, so there are no maps before and after.")]
    most = min(MOST_GENES, VALUES_BUDGET // (2 * canvas.n_drawn))
    groups = gene_groups(view, most)
    genes = [gene for _, group in groups for gene in group]
    if not genes:
        return [Notice("No gene was modelled, so there are no maps before and after.")]
    measured, denoised = data.genes(keys.COUNTS, genes), data.denoised(genes)
    axes: dict[str, Spec] = {}
    for number, gene in enumerate(genes):
        canvas.keep(f"measured:{gene}", measured[:, number])
        canvas.keep(f"denoised:{gene}", denoised[:, number])
        high = upper_limit(measured[:, number], denoised[:, number])
        axes[gene] = colour_axis(0.0, high, "counts", logarithmic=True)
    dusted = view.records.steps.get("dusted")
    what = denoised_values({} if dusted is None else dusted.params)
    charts = tuple(
        canvas.numeric(
            f"gene-{name}", f"{name}:$gene", title, caption, axes[genes[0]], unit=unit, logarithmic=True,
        )
        for name, title, caption, unit in (
            ("measured", "Measured", "UMI counts as Space Ranger counted them.", "counts measured"),
            ("denoised", "Denoised", f"{capitalised(what)}, in counts.", "counts expected"),
        )
    )  # fmt: skip
    word = view.records.spot_word.capitalize()
    return [
        Text(
            f"{len(genes)} genes. Both maps have the same colour limits (0 to the larger of the two 99.5 % quantiles, "
            f"logarithmic). {word}s without a denoised value (they failed quality control) are not drawn. "
            f"{canvas.said}"
        ),
        Picker("gene", "Gene", groups, tuple(chart.id for chart in charts), axes),
        Swipe("swipe", *charts),
    ]
