"""Checks of the slide on the quality control tab: damaged regions, RNA outside the tissue, the picture by tile."""

from __future__ import annotations

from typing import Final

import numpy as np

from clearspot import keys
from clearspot.display.format import show
from clearspot.display.palette import FAIL, NEUTRAL, PASS, QUALITATIVE
from clearspot.report.blocks import Block, Chart, Table, Text
from clearspot.report.map_parts import colour_axis
from clearspot.report.stripes import stripe_blocks
from clearspot.report.view import SampleView

_REGION_COLUMNS: Final = ("region", "kind", "place", "n_spots", "area_mm2", "counts_ratio", "mito_ratio", "genes_ratio")
_STATES: Final = {"good": NEUTRAL, "blurred": FAIL, "pale": QUALITATIVE[1], "overexposed": QUALITATIVE[2],
                  "underexposed": QUALITATIVE[3]}  # fmt: skip


def slide_check_blocks(view: SampleView) -> list[Block]:
    """Blocks of the checks that were made; empty where none was."""
    return [*_regions(view), *stripe_blocks(view), *_bleeding(view), *_tiles(view)]


def _regions(view: SampleView) -> list[Block]:
    number = view.records.metric("qc", "n_low_regions")
    if number is None:
        return []
    word = view.records.spot_word
    if not number:
        return [Text("No damaged region was found.")]
    table = view.records.table("qc", "regions")
    blocks: list[Block] = [
        Table(
            "Regions with fewer counts, more mitochondrial RNA or fewer genes than expected for their tissue. Ratios "
            "are relative to the surroundings. The regions are flagged (obs['artefact_region']), not removed.",
            (
                "Region", "Type", "Location", f"{word.capitalize()}s", "Area (mm²)", "Counts / surroundings",
                "Mitochondrial share / surroundings", "Genes / expected",
            ),
            [
                tuple("" if item is None else f"{item:.2f}" if isinstance(item, float) else str(item) for item in row)
                for row in zip(*(table[name] for name in _REGION_COLUMNS), strict=True)
            ],
            numeric=frozenset({3, 4, 5, 6, 7}),
        )
    ]  # fmt: skip
    if view.canvas is not None and view.data is not None and keys.ARTEFACT_REGION in view.data.obs:
        labels = view.data.obs[keys.ARTEFACT_REGION].astype(str).replace("", "none")
        shades = {"none": NEUTRAL}
        shades |= {name: QUALITATIVE[n % len(QUALITATIVE)] for n, name in enumerate(table["region"])}
        blocks.append(
            view.canvas.classes(
                "artefact-regions", labels, shades, "Damaged regions", "Region numbers as in the table above."
            )
        )
    return blocks


def _bleeding(view: SampleView) -> list[Block]:
    table, places = view.records.table("qc", "bleeding"), view.records.table("qc", "outside_tissue")
    if not table or not places:
        return []
    spread, share = view.records.metric("qc", "bleed_spread_um"), view.records.metric("qc", "bleed_share")
    outside = show(view.records.metric("qc", "percent_counts_outside_tissue"), "percent")
    said = f"{outside} of all counts lie outside the tissue."
    if spread is not None:
        said += f" {show(100 * share, 'percent')} diffused out of the tissue and fall to 1/e over {spread:.0f} µm."
    curve = [
        {
            "type": "scatter", "mode": mode, "name": name, "x": table["distance_um"], "y": table[key],
            "marker": {"color": colour}, "line": {"color": colour},
            "hovertemplate": "%{x:.0f} µm: %{y:.1f}<extra>" + name + "</extra>",
        }
        for name, key, mode, colour in (
            ("measured", "mean_counts", "markers", FAIL),
            ("fitted", "fitted_counts", "lines", PASS),
        )
    ]  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "distance from the tissue (µm)"}},
        "yaxis": {"title": {"text": "mean counts per position"}, "rangemode": "tozero"},
        "showlegend": True, "margin": {"l": 55, "r": 10, "t": 10, "b": 40},
    }  # fmt: skip
    values = np.asarray(places["counts"], dtype=float)
    low, high = np.quantile(values, (0.01, 0.99))
    shades = colour_axis(float(low), float(max(high, low + 1e-9)), "counts", logarithmic=False)
    where = [
        {
            "type": "scatter", "mode": "markers", "x": places["x"], "y": places["y"], "showlegend": False,
            "marker": {"size": 5, "color": places["counts"], "coloraxis": "coloraxis"},
            "hovertemplate": "%{marker.color:.1f} counts<extra></extra>",
        }
    ]  # fmt: skip
    spots = {
        "xaxis": {"visible": False}, "yaxis": {"visible": False, "autorange": "reversed", "scaleanchor": "x"},
        "coloraxis": shades, "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
    }  # fmt: skip
    return [
        Chart("bleeding", "RNA outside the tissue", said, {"data": curve, "layout": layout}, 1.9),
        Chart(
            "outside-map", "Counts outside the tissue", "Counts per position outside the tissue. The tissue is left "
            "blank.", {"data": where, "layout": spots}, 1.2,
        ),
    ]  # fmt: skip


def _tiles(view: SampleView) -> list[Block]:
    table = view.records.table("qc", "picture_tiles")
    if not table:
        return []
    state = np.asarray(table["state"], dtype=object)
    if (state == "good").all():
        return [Text(f"The image is sharp, well exposed and stained in all {len(state)} tissue tiles.")]
    x, y = np.asarray(table["x"]), np.asarray(table["y"])
    data = [
        {
            "type": "scatter", "mode": "markers", "name": name, "x": x[state == name].tolist(),
            "y": y[state == name].tolist(), "marker": {"size": 8, "symbol": "square", "color": colour},
            "hovertemplate": name + "<extra></extra>",
        }
        for name, colour in _STATES.items()
        if (state == name).any()
    ]  # fmt: skip
    layout = {
        "xaxis": {"visible": False}, "yaxis": {"visible": False, "autorange": "reversed", "scaleanchor": "x"},
        "showlegend": True, "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
    }  # fmt: skip
    bad = ", ".join(f"{(state == name).sum()} {name}" for name in _STATES if name != "good" and (state == name).any())
    words = f"{len(state)} tissue tiles, of which {bad}."
    return [Chart("picture-tiles", "Image quality by tile", words, {"data": data, "layout": layout}, 1.2)]
