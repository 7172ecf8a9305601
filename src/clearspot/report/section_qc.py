"""Quality control: distributions, maps, what each filter removed, the tissue's edge, local outliers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from clearspot import keys
from clearspot.report.blocks import Block, Chart, Notice, Row, Section, Spec, Table, Text, plot_text
from clearspot.report.format import NOT_MEASURED, show
from clearspot.report.map_parts import colour_axis
from clearspot.report.palette import FAIL, NEUTRAL, PASS, QUALITATIVE
from clearspot.report.view import SampleView

_SHOWN: Final = {
    keys.TOTAL_COUNTS: ("UMI counts", "UMI counts"),
    keys.N_GENES: ("Genes", "genes"),
    keys.percent_of("mt"): ("Mitochondrial share", "% mitochondrial"),
    keys.percent_of("ribo"): ("Ribosomal protein share", "% ribosomal protein"),
    keys.percent_of("hb"): ("Haemoglobin share", "% haemoglobin"),
}
"""Column -> title, unit."""

_HISTOGRAM_RATIO: Final = 1.3

_LOGARITHMIC: Final = frozenset({keys.TOTAL_COUNTS, keys.N_GENES})


def qc_section(view: SampleView) -> Section:
    """Build the quality control tab."""
    section = Section("qc", "Quality control")
    if not view.records.ran("qc"):
        section.blocks.append(Notice("Quality control has not run for this sample."))
        return section
    section.blocks += _filters(view)
    section.blocks += _measures(view)
    section.blocks += _edge(view)
    section.blocks += _outliers(view)
    return section


def _filters(view: SampleView) -> list[Block]:
    records = view.records
    blocks: list[Block] = [
        Text(
            f"{show(records.metric('qc', 'n_spots_pass'), 'count')} of "
            f"{show(records.metric('qc', 'n_spots'), 'count')} {records.spot_word}s and "
            f"{show(records.metric('qc', 'n_genes_pass'), 'count')} of "
            f"{show(records.metric('qc', 'n_genes'), 'count')} genes pass. {records.spot_word.capitalize()}s that fail "
            "stay in the file, marked; they are not denoised."
        )
    ]
    table = records.table("qc", "filters")
    if table:
        blocks.append(
            Table(
                "What each filter removes: alone, and after the filters above it.",
                ("Filter", "Keeps", "Removes alone", "Removes in sequence", "Left"),
                [
                    (
                        f"{_SHOWN.get(column, (column, ''))[0]} ({name})",
                        f"{keeps} {threshold:g}",
                        *([NOT_MEASURED, "", ""] if alone is None else [f"{n:,}" for n in (alone, then, left)]),
                    )
                    for name, column, threshold, keeps, alone, then, left in zip(
                        *(table[key] for key in _FILTER_COLUMNS), strict=True
                    )
                ],
                numeric=frozenset({2, 3, 4}),
            )
        )
    if view.canvas is not None and view.data is not None and keys.QC_REASON in view.data.obs:
        reasons = view.data.obs[keys.QC_REASON].astype(str).replace("", "kept")
        failing = sorted(set(reasons) - {"kept"})
        if not failing:
            return [*blocks, Text(f"No {records.spot_word} was removed.")]
        shades = {"kept": NEUTRAL} | {name: QUALITATIVE[(5 + n) % len(QUALITATIVE)] for n, name in enumerate(failing)}
        blocks.append(
            view.canvas.classes(
                "qc-reason", reasons, shades, "Kept and removed", "Removed spots name the filters they fail."
            )
        )
    return blocks


_FILTER_COLUMNS: Final = ("filter", "column", "threshold", "keeps", "removed_alone", "removed_in_sequence", "left")


def _measures(view: SampleView) -> list[Block]:
    blocks: list[Block] = []
    for column, (title, unit) in _SHOWN.items():
        parts = []
        table = view.records.table("qc", f"histogram_{column}")
        if table:
            parts.append(_histogram(view, column, title, unit, table))
        if view.canvas is not None and view.data is not None and column in view.data.obs:
            values = view.data.obs[column].to_numpy(dtype=float)
            view.canvas.keep(f"obs:{column}", values)
            low, high = np.nanquantile(values, (0.01, 0.99)) if np.isfinite(values).any() else (0.0, 1.0)
            parts.append(
                view.canvas.numeric(
                    f"map-{column}", f"obs:{column}", f"{title} over the tissue",
                    "Colours span the middle 98 % of the spots.",
                    colour_axis(float(low), float(high), unit, logarithmic=column in _LOGARITHMIC),
                    unit=unit, logarithmic=column in _LOGARITHMIC,
                )
            )  # fmt: skip
        if parts:
            blocks.append(Row(parts))
        else:
            blocks.append(
                Notice(
                    f"{title}: not measured. No such gene has counts in this sample (FFPE probe sets leave them out)."
                )
            )
    return blocks


def _histogram(view: SampleView, column: str, title: str, unit: str, table: dict[str, list[Any]]) -> Chart:
    left, right = np.asarray(table["left"], dtype=float), np.asarray(table["right"], dtype=float)
    logarithmic = column in _LOGARITHMIC
    edges = np.log10(np.stack([left, right]) + 1) if logarithmic else np.stack([left, right])
    hover = [f"{show(round(a, 1))} to {show(round(b, 1))} {plot_text(unit)}" for a, b in zip(left, right, strict=True)]
    data: list[Spec] = [
        {
            "type": "bar", "name": name, "x": edges.mean(axis=0).round(5).tolist(),
            "width": np.diff(edges, axis=0)[0].round(5).tolist(), "y": table[key], "text": hover,
            "textposition": "none", "marker": {"color": colour},
            "hovertemplate": "%{text}<br>%{y:,} spots<extra>" + name + "</extra>",
        }
        for name, key, colour in (("kept", "n_pass", PASS), ("removed", "n_fail", FAIL))
    ]  # fmt: skip
    layout: Spec = {
        "barmode": "stack", "bargap": 0, "xaxis": {"title": {"text": unit}},
        "yaxis": {"title": {"text": f"{view.records.spot_word}s"}},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"}, "showlegend": True,
    }  # fmt: skip
    if logarithmic:
        layout["xaxis"] |= _log_ticks(float(left.min()), float(right.max()))
    caption = _draw_threshold(view, column, layout, logarithmic)
    return Chart(f"histogram-{column}", title, caption, {"data": data, "layout": layout}, _HISTOGRAM_RATIO)


def _log_ticks(low: float, high: float) -> Spec:
    """Ticks at 1, 3, 10, ...; where that leaves too few, at 1, 2, 5, 10, ..."""
    for steps in ((1, 3), (1, 2, 5)):
        ticks = [step * 10**decade for decade in range(8) for step in steps if low <= step * 10**decade <= high]
        if len(ticks) > 2:
            break
    return {"tickvals": np.log10(np.asarray(ticks) + 1.0).tolist(), "ticktext": [f"{tick:,}" for tick in ticks]}


def _draw_threshold(view: SampleView, column: str, layout: Spec, logarithmic: bool) -> str:
    """Add the filter's limit to a histogram; return the words that explain it."""
    filters = view.records.table("qc", "filters")
    if column not in filters.get("column", []):
        return ""
    row = filters["column"].index(column)
    threshold, keeps = filters["threshold"][row], filters["keeps"][row]
    at = float(np.log10(threshold + 1)) if logarithmic else float(threshold)
    layout["shapes"] = [
        {
            "type": "line",
            "x0": at,
            "x1": at,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": "$ink", "dash": "dot", "width": 1.5},
        }
    ]
    axis = " Logarithmic axis." if logarithmic else ""
    return f"Dotted line: the filter keeps {keeps} {threshold:g}.{axis}"


def _edge(view: SampleView) -> list[Block]:
    table = view.records.table("qc", "edge")
    if not table:
        return [
            Notice("Edge effect: not measured. The spots stand on no lattice, so the tissue's edge is not defined.")
        ]
    ratio = view.records.metric("qc", "edge_to_interior_counts")
    words = ""
    if ratio is not None:
        share = show(100 * ratio, "percent")
        words = f" The median {view.records.spot_word} at the edge has {share} of the counts of one inside."
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "name": name, "x": table["distance_spots"], "y": table[key],
            "marker": {"color": colour}, "line": {"color": colour}, "yaxis": axis,
            "hovertemplate": "%{x} from the edge: %{y:,}<extra>" + name + "</extra>",
        }
        for name, key, colour, axis in (
            ("UMI counts", "median_counts", PASS, "y"),
            ("genes", "median_genes", FAIL, "y2"),
        )
    ]  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": f"distance from the tissue's edge ({view.records.spot_word}s)"}},
        "yaxis": {"title": {"text": "median UMI counts"}, "rangemode": "tozero"},
        "yaxis2": {
            "title": {"text": "median genes"}, "overlaying": "y", "side": "right", "rangemode": "tozero",
            "showgrid": False,
        },
        "showlegend": True, "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 50, "r": 55, "t": 10, "b": 40},
    }  # fmt: skip
    return [
        Chart(
            "edge", "Edge effect", f"Medians by distance from the edge.{words}", {"data": data, "layout": layout}, 1.9
        )
    ]


def _outliers(view: SampleView) -> list[Block]:
    number = view.records.metric("qc", "n_local_outliers")
    if number is None or view.data is None or view.canvas is None or keys.LOCAL_OUTLIER not in view.data.obs:
        return []
    word = view.records.spot_word
    if not number:
        return [Text(f"No {word} differs strongly from its surroundings.")]
    said = f"{show(number, 'count')} {word}s differ strongly from their surroundings. They are shown, not dropped."
    labels = view.data.obs[keys.LOCAL_OUTLIER].map({True: "outlier", False: "like its surroundings"})
    return [
        view.canvas.classes(
            "local-outliers", labels, {"like its surroundings": NEUTRAL, "outlier": FAIL}, "Local outliers", said
        )
    ]
