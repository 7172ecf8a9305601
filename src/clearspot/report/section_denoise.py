"""Denoising: how training went, whether it beats plain averaging on held-out counts, gene attention, maps."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from clearspot.contract.metrics import get_metric
from clearspot.contract.steps import get_step
from clearspot.display.format import show, show_metric
from clearspot.display.palette import FAIL, PASS
from clearspot.report.blocks import (
    Block,
    Chart,
    Details,
    KeyNumber,
    KeyNumbers,
    Notice,
    ReportSection,
    Spec,
    Table,
    Text,
    plot_text,
)
from clearspot.report.gene_maps import gene_maps
from clearspot.report.step_blocks import key_number, notices, structure_notice, without_result
from clearspot.report.view import SampleView

_LEGEND: Final = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}
_RATIO: Final = 1.5

_PREDICTIONS: Final = (
    ("DUSTED", "heldout_deviance_dusted", "heldout_explained_dusted", "heldout_correlation_dusted"),
    (
        "Neighbour mean", "heldout_deviance_neighbours", "heldout_explained_neighbours",
        "heldout_correlation_neighbours",
    ),
    ("Gene mean", "heldout_deviance_constant", None, None),
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
    section.blocks += _held_out_genes(view)
    section.blocks.append(Details("Technical details", [_technical(view), *_training(view), _attention(view)]))
    return section


def _numbers(view: SampleView) -> KeyNumbers:
    records = view.records
    names = ["n_spots", "n_genes_modelled"]
    names += [
        name
        for name in ("heldout_explained_dusted", "heldout_explained_neighbours")
        if records.metric("dusted", name) is not None
    ]
    return KeyNumbers([key_number(records, "dusted", name) for name in names])


def _technical(view: SampleView) -> KeyNumbers:
    records = view.records
    metric = partial(records.metric, "dusted")
    best = f"best: {show(metric('best_epoch'), 'count')}"
    how = ", ".join(str(word) for word in (metric("device"), metric("precision")) if word)
    return KeyNumbers(
        [
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
                "No counts were held out from training, so it is unknown whether the denoised values predict better "
                "than averages."
            )
        ]
    fraction = show(records.metric("dusted", "heldout_fraction"), "fraction")
    said = (
        f"On the {fraction} of the counts that were held out, the denoised values predict better than averages"
        f"{_by_how_much(view)}."
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
        "Prediction of held-out counts. Lower deviance is better; the correlation is the median over genes.",
        ("Prediction", "Poisson deviance", "Deviance explained", "Correlation"),
        rows,
        numeric=frozenset({1, 2, 3}),
    )
    return [*verdict, table]


def _by_how_much(view: SampleView) -> str:
    """The size of the gain, as part of a sentence; empty where it was not recorded."""
    metric = partial(view.records.metric, "dusted")
    explained, neighbours = metric("heldout_explained_dusted"), metric("heldout_explained_neighbours")
    if explained is None or neighbours is None:
        return ""
    said = f": they explain {show(explained, 'skill')} of the deviance, the neighbour mean {show(neighbours, 'skill')}"
    correlation = metric("heldout_correlation_dusted")
    return said if correlation is None else f"{said}; median gene correlation {correlation:.2f}"


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
            "customdata": genes,
            "hovertemplate": "%{text}<br>DUSTED %{y:.3f}, neighbour mean %{x:.3f}<extra></extra>",
        }
    ]  # fmt: skip
    layout: Spec = {
        "meta": {"genes": True},
        "xaxis": {"title": {"text": "correlation, neighbour mean"}},
        "yaxis": {"title": {"text": "correlation, DUSTED"}},
        "shapes": [
            {"type": "line", "x0": low, "x1": high, "y0": low, "y1": high, "line": {"color": "$muted", "dash": "dot"}}
        ],
    }
    caption = (
        f"The {len(genes)} genes with the most held-out counts. For genes above the line, DUSTED predicts held-out "
        f"counts better than the mean of neighbouring {view.records.spot_word}s. Click a point to show the maps of the "
        f"gene."
    )
    return [Chart("heldout-genes", "Held-out counts by gene", caption, {"data": data, "layout": layout}, _RATIO)]


def _training(view: SampleView) -> list[Block]:
    table = view.records.table("dusted", "training")
    if not table:
        return [Notice("The loss curve was not recorded.")]
    data: list[Spec] = [_curve(table["epoch"], table["loss"], "training loss", PASS, "y")]
    layout: Spec = {
        "xaxis": {"title": {"text": "epoch"}}, "yaxis": {"title": {"text": "negative log-likelihood"}},
        "showlegend": True, "legend": _LEGEND,
    }  # fmt: skip
    if "held_out" in table:
        data.append(_curve(table["epoch"], table["held_out"], "held-out score", FAIL, "y2"))
        layout |= {
            "yaxis2": {
                "title": {"text": "held-out score"},
                "overlaying": "y",
                "side": "right",
                "showgrid": False,
                "tickmode": "auto",
            },
            "margin": {"l": 50, "r": 60, "t": 10, "b": 40},
        }
    best = view.records.metric("dusted", "best_epoch")
    caption = "Lower is better. Both curves should decrease and level off."
    if best is not None:
        layout["shapes"] = [
            {
                "type": "line", "x0": best, "x1": best, "yref": "paper", "y0": 0, "y1": 1,
                "line": {"color": "$muted", "dash": "dot", "width": 1.5},
            }
        ]  # fmt: skip
        caption += f" Dotted line: epoch {show(best, 'count')}, the weights of which were kept."
    return [Chart("training", "Training", caption, {"data": data, "layout": layout}, _RATIO)]


def _curve(x: list[Any], y: list[Any], name: str, colour: str, axis: str) -> Spec:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "yaxis": axis, "line": {"color": colour},
        "hovertemplate": "epoch %{x}: %{y:.5g}<extra>" + name + "</extra>",
    }  # fmt: skip


def _attention(view: SampleView) -> Text:
    """In words: where all genes weigh about the same, a ranking of them would be one of noise."""
    low, middle, high = (
        view.records.metric("dusted", name)
        for name in ("gene_attention_min", "gene_attention_median", "gene_attention_max")
    )
    if middle is None:
        return Text("The model ran without gene channel attention.")
    span = "" if low is None or high is None else f", from {low:.3g} to {high:.3g}"
    return Text(
        "Gene channel attention (weight of a gene's own signal in the model input): median "
        f"{middle:.3g}{span}. Values for all genes are in var['dusted_gene_attention']."
    )
