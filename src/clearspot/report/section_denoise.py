"""Denoising: how training went, whether it beats plain averaging on held-out counts, gene attention, maps."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from clearspot.contract.metrics import get_metric
from clearspot.contract.steps import get_step
from clearspot.report.blocks import (
    Block,
    Chart,
    KeyNumber,
    KeyNumbers,
    Notice,
    ReportSection,
    Row,
    Spec,
    Table,
    plot_text,
)
from clearspot.report.format import show, show_metric
from clearspot.report.gene_maps import gene_maps
from clearspot.report.palette import FAIL, PASS
from clearspot.report.step_blocks import key_number, notices, structure_notice, without_result
from clearspot.report.view import SampleView

_LEGEND: Final = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}
_RATIO: Final = 1.5

_PREDICTIONS: Final = (
    ("DUSTED", "heldout_deviance_dusted", "heldout_explained_dusted", "heldout_correlation_dusted"),
    (
        "Neighbour averaging", "heldout_deviance_neighbours", "heldout_explained_neighbours",
        "heldout_correlation_neighbours",
    ),
    ("Gene's average", "heldout_deviance_constant", None, None),
)  # fmt: skip
"""Prediction, and the metrics of its deviance, of the share of deviance that it explains, of its correlation."""


def denoise_section(view: SampleView, budget: int) -> ReportSection:
    """Build the denoising tab.

    Parameters
    ----------
    budget
        Bytes of the page that the maps of genes may take.
    """
    section = ReportSection("denoising", get_step("dusted").title)
    records = view.records
    if not records.ran("dusted"):
        section.blocks += without_result(records, "dusted")
        return section
    section.blocks.append(_numbers(view))
    section.blocks += notices(records, "dusted")
    section.blocks += _held_out(view)
    section.blocks += structure_notice(records)
    section.blocks += gene_maps(view, budget)
    charts = [*_training(view), *_held_out_genes(view), *_attention(view)]
    if charts:
        section.blocks.append(Row(charts))
    if not records.table("dusted", "training"):
        section.blocks.append(Notice("The loss curve was not recorded."))
    if not records.table("dusted", "gene_attention_top"):
        section.blocks.append(Notice("The model ran without gene channel attention, so no gene was weighted."))
    return section


def _numbers(view: SampleView) -> KeyNumbers:
    records = view.records
    metric = partial(records.metric, "dusted")
    best = f"best: {show(metric('best_epoch'), 'count')}"
    how = ", ".join(str(word) for word in (metric("device"), metric("precision")) if word)
    return KeyNumbers(
        [
            key_number(records, "dusted", "n_spots"),
            key_number(records, "dusted", "n_genes_modelled"),
            KeyNumber("Likelihood", show(records.param("dusted", "likelihood")).upper()),
            key_number(records, "dusted", "epochs", best),
            key_number(records, "dusted", "seconds_training", how),
            key_number(records, "dusted", "peak_memory_bytes"),
        ]
    )


def _held_out(view: SampleView) -> list[Block]:
    records = view.records
    beats = records.metric("dusted", "heldout_beats_neighbours")
    if beats is None:
        return [
            Notice(
                "No counts were held out of training, so it is not known whether the denoised values predict better "
                "than plain averages do."
            )
        ]
    fraction = show(records.metric("dusted", "heldout_fraction"), "fraction")
    said = (
        f"On the {fraction} of the counts that were held out, the denoised values predict better than averaging does."
    )
    verdict: list[Block] = [Notice(said, "good")] if beats else []  # if not, the step itself warns
    rows = [
        (
            name,
            *(
                "" if metric is None else show_metric(records.metric("dusted", metric), get_metric("dusted", metric))
                for metric in metrics
            ),
        )
        for name, *metrics in _PREDICTIONS
    ]
    table = Table(
        "Prediction of held-out counts. Deviance: lower is better; correlation: median over genes.",
        ("Prediction", "Poisson deviance", "Deviance explained", "Correlation"),
        rows,
        numeric=frozenset({1, 2, 3}),
    )
    return [*verdict, table]


def _held_out_genes(view: SampleView) -> list[Chart]:
    table = view.records.table("dusted", "heldout_genes")
    if not table:
        return []
    pairs = [
        (gene, x, y)
        for gene, x, y in zip(table["gene"], table["correlation_neighbours"], table["correlation_dusted"], strict=True)
        if x is not None and y is not None
    ]
    if not pairs:
        return []
    genes, x, y = ([pair[column] for pair in pairs] for column in range(3))
    low, high = min([0.0, *x, *y]), max([*x, *y])
    data: list[Spec] = [
        {
            "type": "scatter", "mode": "markers", "x": x, "y": y, "text": [plot_text(gene) for gene in genes],
            "marker": {"color": PASS, "size": 7, "opacity": 0.7}, "showlegend": False,
            "hovertemplate": "%{text}<br>DUSTED %{y:.3f}, neighbours %{x:.3f}<extra></extra>",
        }
    ]  # fmt: skip
    layout: Spec = {
        "xaxis": {"title": {"text": "correlation, neighbour averaging"}},
        "yaxis": {"title": {"text": "correlation, DUSTED"}},
        "shapes": [
            {"type": "line", "x0": low, "x1": high, "y0": low, "y1": high, "line": {"color": "$muted", "dash": "dot"}}
        ],
    }
    caption = (
        f"The {len(genes)} genes with the most held-out counts. Above the line, DUSTED predicts a gene's held-out "
        "counts better than the mean of its neighbours."
    )
    return [Chart("heldout-genes", "Held-out counts, gene by gene", caption, {"data": data, "layout": layout}, _RATIO)]


def _training(view: SampleView) -> list[Chart]:
    table = view.records.table("dusted", "training")
    if not table:
        return []
    data: list[Spec] = [_curve(table["epoch"], table["loss"], "training loss", PASS, "y")]
    layout: Spec = {
        "xaxis": {"title": {"text": "epoch"}}, "yaxis": {"title": {"text": "negative log-likelihood"}},
        "showlegend": True, "legend": _LEGEND,
    }  # fmt: skip
    if "held_out" in table:
        data.append(_curve(table["epoch"], table["held_out"], "held-out score", FAIL, "y2"))
        layout |= {
            "yaxis2": {"title": {"text": "held-out score"}, "overlaying": "y", "side": "right", "showgrid": False},
            "margin": {"l": 50, "r": 60, "t": 10, "b": 40},
        }
    best = view.records.metric("dusted", "best_epoch")
    caption = "Lower is better; both should fall and flatten."
    if best is not None:
        layout["shapes"] = [
            {
                "type": "line", "x0": best, "x1": best, "yref": "paper", "y0": 0, "y1": 1,
                "line": {"color": "$muted", "dash": "dot", "width": 1.5},
            }
        ]  # fmt: skip
        caption += f" Dotted line: epoch {show(best, 'count')}, whose weights were kept."
    return [Chart("training", "Training", caption, {"data": data, "layout": layout}, _RATIO)]


def _curve(x: list[Any], y: list[Any], name: str, colour: str, axis: str) -> Spec:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "yaxis": axis, "line": {"color": colour},
        "hovertemplate": "epoch %{x}: %{y:.5g}<extra>" + name + "</extra>",
    }  # fmt: skip


def _attention(view: SampleView) -> list[Chart]:
    top = view.records.table("dusted", "gene_attention_top")
    bottom = view.records.table("dusted", "gene_attention_bottom")
    if not top:
        return []
    data: list[Spec] = []
    seen: set[str] = set()
    for name, table, colour in (("weighted most", top, PASS), ("weighted least", bottom, FAIL)):
        rows = [
            (plot_text(gene), value)
            for gene, value in zip(table.get("gene", []), table.get("attention", []), strict=True)
            if gene not in seen
        ]
        seen.update(table.get("gene", []))
        data.append(
            {
                "type": "scatter", "mode": "markers", "name": name, "x": [value for _, value in rows],
                "y": [gene for gene, _ in rows], "marker": {"color": colour, "size": 8},
                "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
            }
        )  # fmt: skip
    layout: Spec = {
        "xaxis": {"title": {"text": "gene channel attention"}},
        "yaxis": {"autorange": "reversed", "type": "category", "tickfont": {"size": 10}},
        "showlegend": True, "legend": _LEGEND,
    }  # fmt: skip
    caption = (
        "How strongly the model adds a gene's own signal to its input. Median of all genes: "
        f"{show(view.records.metric('dusted', 'gene_attention_median'))}."
    )
    return [
        Chart(
            "gene-attention",
            "Gene attention",
            caption,
            {"data": [one for one in data if one["x"]], "layout": layout},
            0.8,
        )
    ]
