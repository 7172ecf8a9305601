"""Quality control: distributions, maps, what each filter removed, the tissue's edge, local outliers."""

from __future__ import annotations

from typing import Final

import numpy as np

from clearspot import keys
from clearspot.contract.steps import get_step
from clearspot.display.format import NOT_MEASURED, show
from clearspot.display.palette import FAIL, NEUTRAL, PASS, QUALITATIVE
from clearspot.report.blocks import Block, Chart, Notice, ReportSection, Row, Table, Text, Underlay
from clearspot.report.canvas_kinds import RasterCanvas
from clearspot.report.map_parts import colour_axis
from clearspot.report.section_picture import picture_blocks
from clearspot.report.section_segmentation import segmentation_blocks
from clearspot.report.slide_checks import slide_check_blocks
from clearspot.report.step_blocks import without_result
from clearspot.report.view import SampleView
from clearspot.report.violins import LOGARITHMIC, can_remove, violin

_SHOWN: Final = {
    keys.TOTAL_COUNTS: ("UMI counts", "UMI counts", "median_counts"),
    keys.N_GENES: ("Genes", "genes", "median_genes"),
    keys.DESTRIPED_TOTAL: ("UMI counts without stripes", "UMI counts", ""),
    keys.percent_of("mt"): ("Mitochondrial share", "% mitochondrial", "median_percent_mt"),
    keys.percent_of("ribo"): ("Ribosomal protein share", "% ribosomal protein", "median_percent_ribo"),
    keys.percent_of("hb"): ("Haemoglobin share", "% haemoglobin", "median_percent_hb"),
    keys.CELL_AREA: ("Area", "µm²", "median_cell_area_um2"),
}
"""Column -> title, unit, the record's name of its median over the spots that pass."""

_SOMETIMES: Final = (keys.DESTRIPED_TOTAL, keys.CELL_AREA)
"""Columns that only some samples have by their nature."""


def qc_section(view: SampleView) -> ReportSection:
    """Build the quality control tab."""
    section = ReportSection("qc", get_step("qc").title)
    if not view.records.ran("qc"):
        section.blocks += without_result(view.records, "qc")
        return section
    section.blocks += _filters(view)
    section.blocks += segmentation_blocks(view)
    if view.picture is not None:
        section.blocks.append(Underlay("underlay-qc", "Tissue image under the maps"))
    section.blocks += _measures(view)
    section.blocks += picture_blocks(view)
    section.blocks += _edge(view)
    section.blocks += _outliers(view)
    section.blocks += slide_check_blocks(view)
    return section


def _filters(view: SampleView) -> list[Block]:
    records = view.records
    blocks: list[Block] = [
        Text(
            f"{show(records.metric('qc', 'n_spots_pass'), 'count')} of "
            f"{show(records.metric('qc', 'n_spots'), 'count')} {records.spot_word}s and "
            f"{show(records.metric('qc', 'n_genes_pass'), 'count')} of "
            f"{show(records.metric('qc', 'n_genes'), 'count')} genes pass. {records.spot_word.capitalize()}s that "
            f"fail are flagged and kept in the file, but not denoised."
        )
    ]
    table = records.table("qc", "filters")
    if table:
        blocks.append(
            Table(
                "Number removed by each filter, alone and after the filters above it.",
                ("Filter", "Keeps", "Removed alone", "Removed in sequence", "Left"),
                [
                    (
                        f"{_SHOWN.get(column, (column,))[0]} ({name})",
                        f"{keeps} {threshold:g}",
                        *([NOT_MEASURED, "", ""] if alone is None else [f"{n:,}" for n in (alone, then, left)]),
                    )
                    for name, column, threshold, keeps, alone, then, left in zip(
                        *(table[key] for key in _FILTER_COLUMNS), strict=True
                    )
                    if can_remove(column, float(threshold), keeps)
                ],
                numeric=frozenset({2, 3, 4}),
            )
        )
    if view.canvas is not None and view.data is not None and keys.QC_REASON in view.data.obs:
        reasons = view.data.obs[keys.QC_REASON].astype(str).str.replace(";", " and ").replace("", "kept")
        failing = sorted(set(reasons) - {"kept"})
        if not failing:
            return [*blocks, Text(f"No {records.spot_word} was removed.")]
        shades = {"kept": NEUTRAL} | {name: QUALITATIVE[(5 + n) % len(QUALITATIVE)] for n, name in enumerate(failing)}
        blocks.append(
            view.canvas.classes(
                "qc-reason",
                reasons,
                shades,
                "Kept and removed",
                f"Removed {records.spot_word}s are labelled with the filters they fail.",
            )
        )
    return blocks


_FILTER_COLUMNS: Final = ("filter", "column", "threshold", "keeps", "removed_alone", "removed_in_sequence", "left")


def _measures(view: SampleView) -> list[Block]:
    blocks: list[Block] = []
    for column, (title, unit, median) in _SHOWN.items():
        there = view.data is not None and column in view.data.obs
        if not there and column in _SOMETIMES:
            continue
        if view.canvas is None or view.data is None or not there:
            missing = f"{title}: not measured. No such gene has counts in this sample (FFPE probe sets exclude them)."
            blocks.append(Notice(missing))
            continue
        values = view.data.obs[column].to_numpy(dtype=float)
        view.canvas.keep(f"obs:{column}", values)
        low, high = np.nanquantile(values, (0.01, 0.99)) if np.isfinite(values).any() else (0.0, 1.0)
        logarithmic = column in LOGARITHMIC
        axis = colour_axis(float(low), float(high), unit, logarithmic=logarithmic)
        over_tissue = view.canvas.numeric(
            f"map-{column}", f"obs:{column}", f"{title}: map", "Colour limits: 1 % and 99 % quantiles.", axis,
            unit=unit, logarithmic=logarithmic,
        )  # fmt: skip
        middle = view.records.metric("qc", median) if median else None
        shape = violin(view.records, view.data.obs, view.canvas, column, title, unit, middle)
        blocks.append(Row([shape, over_tissue]))
        if column == "total_counts" and isinstance(view.canvas, RasterCanvas):
            name = f"{title}: every {view.records.spot_word}"
            said = view.canvas.said_finely
            blocks.append(
                view.canvas.every_number(f"every-{column}", values, name, said, axis, logarithmic=logarithmic)
            )
    return blocks


def _edge(view: SampleView) -> list[Block]:
    table = view.records.table("qc", "edge")
    word = view.records.spot_word
    if not table:
        return [
            Notice(f"Edge effect: not measured. The {word}s do not form a lattice, so the tissue edge is not defined.")
        ]
    ratio = view.records.metric("qc", "edge_to_interior_counts")
    words = ""
    if ratio is not None:
        share = show(100 * ratio, "percent")
        words = f" The median {word} at the edge has {share} of the counts of the median interior {word}."
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
        "xaxis": {"title": {"text": f"distance from the tissue edge ({word}s)"}},
        "yaxis": {"title": {"text": "median UMI counts"}, "rangemode": "tozero"},
        "yaxis2": {
            "title": {"text": "median genes"}, "overlaying": "y", "side": "right", "rangemode": "tozero",
            "showgrid": False, "tickmode": "auto",
        },
        "showlegend": True, "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 50, "r": 55, "t": 10, "b": 40},
    }  # fmt: skip
    return [
        Chart(
            "edge",
            "Edge effect",
            f"Medians by distance from the tissue edge.{words}",
            {"data": data, "layout": layout},
            1.9,
        )
    ]


def _outliers(view: SampleView) -> list[Block]:
    number = view.records.metric("qc", "n_local_outliers")
    if number is None or view.data is None or view.canvas is None or keys.LOCAL_OUTLIER not in view.data.obs:
        return []
    word = view.records.spot_word
    if not number:
        return [Text(f"No {word} differs strongly from its neighbours.")]
    said = f"{show(number, 'count')} {word}s differ strongly from their neighbours. They are flagged, not removed."
    labels = view.data.obs[keys.LOCAL_OUTLIER].map({True: "outlier", False: "similar to neighbours"})
    return [
        view.canvas.classes(
            "local-outliers", labels, {"similar to neighbours": NEUTRAL, "outlier": FAIL}, "Local outliers", said
        )
    ]
