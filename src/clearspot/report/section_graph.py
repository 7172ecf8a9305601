"""The spatial graph: degree, isolates, connected pieces."""

from __future__ import annotations

from typing import Final

from clearspot import keys
from clearspot.contract.steps import get_step
from clearspot.display.format import show
from clearspot.display.palette import NEUTRAL, PASS, colours
from clearspot.report.blocks import Block, Chart, KeyNumbers, ReportSection, Row, Table, Text, plot_text
from clearspot.report.step_blocks import key_number, notices, without_result
from clearspot.report.view import SampleView

_PIECES_SHOWN: Final = 9
_Q: Final = 0.05


def graph_section(view: SampleView) -> ReportSection:
    """Build the graph tab."""
    section = ReportSection("graph", get_step("graph").title)
    records = view.records
    if not records.ran("graph"):
        section.blocks += without_result(records, "graph")
        return section
    names = ("median_degree", "n_spots", "n_edges", "n_isolates", "n_components")
    numbers = [key_number(records, "graph", name) for name in names]
    if records.metric("graph", "radius_um") is not None:
        numbers.append(key_number(records, "graph", "radius_um", _how(view)))
    section.blocks.append(KeyNumbers(numbers))
    section.blocks += notices(records, "graph")
    section.blocks += _structure(view)
    charts = [*_degree(view), *_pieces_map(view)]
    if charts:
        section.blocks.append(Row(charts))
    section.blocks += _pieces(view)
    return section


def _structure(view: SampleView) -> list[Block]:
    """Moran's I of the tested genes, beside what shuffled places reach."""
    table = view.records.table("graph", "structure")
    if not table:
        return []
    names = ("percent_genes_spatial", "morans_i_median", "morans_i_shuffled", "n_genes_structure_tested")
    by_chance = view.records.metric("graph", "morans_i_shuffled")
    data = [
        {
            "type": "bar", "x": list(range(1, len(table["gene"]) + 1)), "y": table["morans_i"],
            "text": [plot_text(gene) for gene in table["gene"]], "textposition": "none",
            "marker": {"color": [PASS if q < _Q else NEUTRAL for q in table["q"]]},
            "hovertemplate": "%{text}: %{y:.3f}<extra></extra>",
        }
    ]  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "genes, ranked by Moran's I"}}, "yaxis": {"title": {"text": "Moran's I"}},
        "bargap": 0,
        "shapes": [
            {
                "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": by_chance, "y1": by_chance,
                "line": {"color": "$muted", "dash": "dot"},
            }
        ],
    }  # fmt: skip
    caption = (
        "The most variable genes, measured counts normalised for depth. Coloured: q < 0.05. Dotted line: median "
        f"Moran's I with shuffled {view.records.spot_word}s."
    )
    return [
        KeyNumbers([key_number(view.records, "graph", name) for name in names]),
        Chart("structure", "Spatial pattern", caption, {"data": data, "layout": layout}, 2.6),
    ]


def _how(view: SampleView) -> str:
    method, lattice = view.records.param("graph", "method"), view.records.metric("graph", "lattice")
    return ", ".join(str(word) for word in (method, lattice) if word)


def _degree(view: SampleView) -> list[Chart]:
    table = view.records.table("graph", "degree")
    if not table:
        return []
    word = view.records.spot_word
    data = [
        {
            "type": "bar", "x": table["degree"], "y": table["n_spots"], "marker": {"color": PASS},
            "hovertemplate": "%{x} neighbours: %{y:,} " + f"{word}s<extra></extra>",
        }
    ]  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "neighbours"}, "dtick": 1},
        "yaxis": {"title": {"text": f"{word}s"}},
        "bargap": 0.3,
    }
    return [Chart("degree", "Neighbours", f"Number of neighbours per {word}.", {"data": data, "layout": layout}, 1.9)]


def _pieces(view: SampleView) -> list[Block]:
    table, word = view.records.table("graph", "components"), view.records.spot_word
    if not table or len(table["component"]) < 2:
        return [Text(f"All {word}s are connected.")]
    rows = [(name, show(size, "count")) for name, size in zip(table["component"], table["n_spots"], strict=True)]
    return [
        Table(
            "Largest connected components",
            ("Component", f"{word.capitalize()}s"),
            rows,
            numeric=frozenset({1}),
            folded=True,
        )
    ]


def _pieces_map(view: SampleView) -> list[Chart]:
    table = view.records.table("graph", "components")
    if len(table.get("component", [])) < 2 or view.data is None or view.canvas is None:
        return []
    if keys.COMPONENT not in view.data.obs:
        return []
    labels = view.data.obs[keys.COMPONENT].astype("string")
    shown = [str(name) for name in table["component"]][:_PIECES_SHOWN]
    named = labels.where(labels.isin(shown) | labels.isna(), "smaller")
    order = colours(shown) | {"smaller": NEUTRAL}
    return [
        view.canvas.classes(
            "pieces", named, order, "Connected components", "No information is shared between components."
        )
    ]
