"""Spatial domains: map, sizes, markers, Moran's I with its controls."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from clearspot import keys
from clearspot.contract.steps import get_step
from clearspot.display.format import NOT_MEASURED, domain_name, show
from clearspot.display.palette import colours
from clearspot.report.blocks import (
    Block,
    Chart,
    Genes,
    KeyNumbers,
    Notice,
    ReportSection,
    Row,
    Table,
    Text,
    plot_text,
)
from clearspot.report.canvas_kinds import RasterCanvas
from clearspot.report.marker_dots import marker_dots
from clearspot.report.step_blocks import key_number, notices, structure_notice, without_result
from clearspot.report.view import SampleView

_METHODS: Final = {keys.DOMAIN_GMM: "Gaussian mixture", keys.DOMAIN_LEIDEN: "Leiden"}

_NUMBERS: Final = {
    keys.DOMAIN_GMM: (
        "n_domain_gmm", "neighbour_agreement_domain_gmm", "neighbour_agreement_by_chance_domain_gmm",
    ),
    keys.DOMAIN_LEIDEN: (
        "n_domain_leiden", "neighbour_agreement_domain_leiden", "neighbour_agreement_by_chance_domain_leiden",
    ),
}  # fmt: skip
"""Column of ``obs`` -> metrics of its number of domains, of the neighbours' agreement, and of that by chance."""

_MARKER_COLUMNS: Final = (
    "domain", "gene", "score", "log2_fold_change", "p_adjusted", "percent_inside", "percent_outside",
)  # fmt: skip

_MORAN: Final = {
    "measured": ("measured", "#7F7F7F"),
    "denoised": ("denoised", "#0072B2"),
    "neighbour_mean": ("neighbour mean", "#E69F00"),
    "neighbour_mean_shuffled": ("neighbour mean, shuffled {places}", "#D55E00"),
}


def domains_section(view: SampleView) -> ReportSection:
    """Build the domains tab."""
    section = ReportSection("domains", get_step("domains").title)
    records = view.records
    if not records.ran("domains"):
        section.blocks += without_result(records, "domains")
        return section
    main = records.metric("domains", "main")
    methods = [name for name in (main, *(name for name in _METHODS if name != main)) if name in _METHODS]
    section.blocks += _numbers(view, methods)
    section.blocks += notices(records, "domains")
    section.blocks += structure_notice(records)
    section.blocks += _maps(view, methods)
    section.blocks += _sizes(view, methods)
    section.blocks += _markers(view, main)
    section.blocks += _moran(view)
    return section


def _numbers(view: SampleView, methods: list[str]) -> list[Block]:
    records = view.records
    numbers = []
    for name in methods:
        number, agreement, chance = _NUMBERS[name]
        by_chance = records.metric("domains", chance)
        note = "" if by_chance is None else f"by chance {show(by_chance, 'fraction')}"
        if records.metric("domains", number) is not None:
            numbers.append(key_number(records, "domains", number))
        if records.metric("domains", agreement) is not None:
            numbers.append(key_number(records, "domains", agreement, note))
    if records.metric("domains", "ari_gmm_leiden") is not None:
        numbers.append(key_number(records, "domains", "ari_gmm_leiden", "adjusted Rand index; 1: identical"))
    return [KeyNumbers(numbers)] if numbers else []


def _order(labels: pd.Series) -> list[str]:
    return sorted(_named(labels).dropna().unique().tolist())


def _named(labels: pd.Series) -> pd.Series:
    return labels.astype("string").map(domain_name, na_action="ignore")


def _maps(view: SampleView, methods: list[str]) -> list[Block]:
    if view.data is None or view.canvas is None:
        return []
    charts = [
        view.canvas.classes(
            f"map-{name}", _named(view.data.obs[name]), colours(_order(view.data.obs[name])),
            f"Domains: {_METHODS[name]}",
            "Numbered by decreasing size. Click a name in the legend to hide or show a domain.",
        )
        for name in methods if name in view.data.obs
    ]  # fmt: skip
    if charts and isinstance(view.canvas, RasterCanvas):
        labels, word = view.data.obs[methods[0]], view.records.spot_word
        charts.append(
            view.canvas.every_spot(
                "map-every", _named(labels), colours(_order(labels)), f"Every {word}: {_METHODS[methods[0]]}",
                view.canvas.said_finely,
            )
        )  # fmt: skip
    missing = int(view.data.obs[methods[0]].isna().sum()) if charts else 0
    blocks: list[Block] = [Row(charts)] if charts else []
    if missing:
        blocks.append(
            Text(
                f"{missing:,} {view.records.spot_word}s failed quality control. They have no domain and are not drawn."
            )
        )
    return blocks


def _sizes(view: SampleView, methods: list[str]) -> list[Block]:
    charts = []
    for name in methods:
        table = view.records.table("domains", f"sizes_{name}")
        if not table:
            continue
        names = [domain_name(domain) for domain in table["domain"]]
        shades = colours(names)
        data = [
            {
                "type": "bar", "x": names, "y": table["n_spots"],
                "marker": {"color": [shades[name] for name in names]},
                "hovertemplate": "%{x}: %{y:,} " + f"{view.records.spot_word}s<extra></extra>",
            }
        ]  # fmt: skip
        layout = {
            "xaxis": {"type": "category"},
            "yaxis": {"title": {"text": f"{view.records.spot_word}s"}},
            "meta": {"classes": True},
        }
        charts.append(Chart(f"sizes-{name}", f"Sizes: {_METHODS[name]}", "", {"data": data, "layout": layout}, 1.8))
    return [Row(charts)] if charts else []


def _markers(view: SampleView, main: str | None) -> list[Block]:
    table = view.records.table("domains", "markers")
    if not table:
        return [Notice(f"No domain has enough {view.records.spot_word}s to test for marker genes.")]
    rows = [
        (
            domain_name(domain), Genes([gene]), show(score), show(change),
            NOT_MEASURED if p_value is None else f"{p_value:.1e}",
            show(inside, "percent"), show(outside, "percent"),
        )
        for domain, gene, score, change, p_value, inside, outside in zip(
            *(table[key] for key in _MARKER_COLUMNS), strict=True
        )
    ]  # fmt: skip
    best: dict[str, list[str]] = {}
    for domain, gene in zip(table["domain"], table["gene"], strict=True):
        best.setdefault(domain, []).append(gene)
    summary = [(domain_name(domain), Genes(genes)) for domain, genes in best.items()]
    method = _METHODS.get(str(main), "main")
    return [
        *marker_dots(view.records.table("domains", "marker_profile"), view.records.spot_word),
        Table(
            f"Top marker genes per domain ({method}), from measured expression. Click a gene to show its maps.",
            ("Domain", "Genes"),
            summary,
        ),
        Table(
            "All marker genes with statistics (Wilcoxon test of each domain against the rest)",
            ("Domain", "Gene", "Score", "log2 fold change", "Adjusted p", "Detected inside", "Detected outside"),
            rows, numeric=frozenset(range(2, 7)), folded=True,
        ),
    ]  # fmt: skip


def _moran(view: SampleView) -> list[Block]:
    table = view.records.table("domains", "moran")
    if not table:
        return [Notice("Moran's I was not measured.")]
    places = f"{view.records.spot_word}s"
    called = {key: (name.format(places=places), colour) for key, (name, colour) in _MORAN.items()}
    present = {key: words for key, words in called.items() if any(value is not None for value in table.get(key, []))}
    data = [
        {
            "type": "box", "name": name, "y": table[key], "text": [plot_text(gene) for gene in table["gene"]],
            "marker": {"color": colour, "size": 4}, "boxpoints": "all", "jitter": 0.5, "pointpos": 0,
            "line": {"width": 1}, "hovertemplate": "%{text}: %{y:.3f}<extra></extra>",
        }
        for key, (name, colour) in present.items()
    ]  # fmt: skip
    layout = {"yaxis": {"title": {"text": "Moran's I"}}, "showlegend": False}
    chart = Chart(
        "moran", f"Moran's I of {len(table['gene'])} genes",
        "One point per gene. Smoothing alone raises Moran's I. "
        f"The neighbour mean of shuffled {places}, in which no spatial signal is left, shows by how much.",
        {"data": data, "layout": layout}, 1.9,
    )  # fmt: skip
    shown = [key for key in (*present, "q_measured", "q_denoised") if key in table]
    titles = {key: name.capitalize() for key, (name, _) in called.items()} | {
        "q_measured": "Adjusted p, measured", "q_denoised": "Adjusted p, denoised",
    }  # fmt: skip
    rows = [(gene, *(_figure(table[key][row]) for key in shown)) for row, gene in enumerate(table["gene"])]
    return [
        chart,
        Table(
            "Moran's I by gene",
            ("Gene", *(titles[key] for key in shown)),
            rows,
            numeric=frozenset(range(1, len(shown) + 1)),
            folded=True,
        ),
    ]


def _figure(value: Any) -> str:
    return NOT_MEASURED if value is None else f"{value:.3f}"
