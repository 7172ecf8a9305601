"""Counts and picture: how well they lie on each other, at their place, moved, turned and mirrored."""

from __future__ import annotations

import base64
import io
from typing import Any, Final

import numpy as np
from PIL import Image

from clearspot import keys
from clearspot.display.format import show
from clearspot.report.blocks import Block, Chart, KeyNumbers, Notice, Row, Table
from clearspot.report.step_blocks import key_number
from clearspot.report.view import SampleView

_NUMBERS: Final = (
    "percent_spots_on_tissue_image", "picture_correlation", "picture_fit", "picture_p", "picture_shift_um",
    "picture_shift_p", "picture_best_symmetry", "picture_symmetry_p",
)  # fmt: skip

_REGISTRATION: Final = {
    "aligned_fiducials": (
        "Space Ranger: fiducials",
        "Fiducials as aligned by Space Ranger. The rings must lie on the dots of the frame.",
    ),
    "detected_tissue": ("Space Ranger: tissue", "{places} detected as tissue by Space Ranger. They must cover "
    "the tissue, and only the tissue."),
}  # fmt: skip
"""Space Ranger's picture -> title, and caption with the word for measured places."""

_HEAT: Final = "Viridis"


def picture_blocks(view: SampleView) -> list[Block]:
    """Build what quality control says of counts and picture."""
    return [*_fit(view), *_registration(view)]


def _fit(view: SampleView) -> list[Block]:
    records = view.records
    if records.metric("qc", "percent_spots_on_tissue_image") is None:
        said = [one.text for one in records.steps["qc"].messages if one.level == "info" and "compare" in one.text]
        return [Notice(text) for text in said]
    blocks: list[Block] = [KeyNumbers([key_number(records, "qc", name) for name in _NUMBERS])]
    places = f"{records.spot_word}s"
    scan = records.table("qc", "picture_scan")
    if scan:
        blocks += [_map(scan, places), _by_distance(scan, places)]
    symmetries = records.table("qc", "picture_symmetries")
    if symmetries:
        rows = [
            (name, show(100 * fit, "percent"))
            for name, fit in zip(symmetries["symmetry"], symmetries["fit"], strict=True)
        ]
        blocks.append(
            Table(
                f"Variance of ranked counts explained by the image, with the {places} rotated or mirrored (best fit "
                "of each)",
                (places.capitalize(), "Explained"),
                rows,
                numeric=frozenset({1}),
                folded=True,
            )
        )
    return blocks


def _registration(view: SampleView) -> list[Block]:
    """Space Ranger's own pictures of where it put the slide's frame and the tissue."""
    pictures = {} if view.data is None else view.data.provenance.get(keys.REGISTRATION_PICTURES, {})
    # Space Ranger draws bins also where it segmented cells
    places = "Spots" if view.records.spot_word == "spot" else "Bins"
    charts = []
    for kind, (title, caption) in _REGISTRATION.items():
        if kind not in pictures:
            continue
        jpeg = bytes(np.asarray(pictures[kind], dtype=np.uint8))
        with Image.open(io.BytesIO(jpeg)) as image:
            width, height = image.size
        address = "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
        layout = {
            "xaxis": {"range": [0, width], "visible": False, "constrain": "domain"},
            "yaxis": {"range": [height, 0], "visible": False, "scaleanchor": "x", "constrain": "domain"},
            "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
            "images": [
                {
                    "source": view.store.text(kind, address), "xref": "x", "yref": "y", "x": 0, "y": 0,
                    "sizex": width, "sizey": height, "sizing": "stretch", "layer": "below",
                }
            ],
        }  # fmt: skip
        data = [{"type": "scatter", "mode": "markers", "x": [], "y": [], "showlegend": False}]
        charts.append(
            Chart(kind, title, caption.format(places=places), {"data": data, "layout": layout}, width / height)
        )
    return [Row(charts)] if charts else []


def _map(scan: dict[str, list[Any]], places: str) -> Chart:
    data = [
        {
            "type": "scatter", "mode": "markers", "x": scan["dx_um"], "y": scan["dy_um"],
            "marker": {
                "color": [100 * fit for fit in scan["fit"]], "colorscale": _HEAT, "size": 13, "symbol": "square",
                "showscale": True, "colorbar": {"title": {"text": "% explained"}},
            },
            "text": [show(100 * share, "percent") for share in scan["on_tissue"]],
            "hovertemplate": "shifted by %{x}, %{y} µm: %{marker.color:.1f} % explained, %{text} of the "
            f"{places} on tissue<extra></extra>",
        }
    ]  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "shift to the right (µm)"}, "zeroline": True},
        "yaxis": {
            "title": {"text": "shift down (µm)"}, "autorange": "reversed", "scaleanchor": "x", "zeroline": True,
        },
        "showlegend": False,
    }  # fmt: skip
    caption = (
        "Variance of ranked counts explained by darkness, haematoxylin and texture of the tissue image, with the "
        f"{places} shifted over it. If counts and image are aligned, the best fit is in the centre."
    )
    return Chart("picture-scan", "Alignment of counts and image", caption, {"data": data, "layout": layout}, 1.2)


def _by_distance(scan: dict[str, list[Any]], places: str) -> Table:
    """Best fit, and share of places on tissue there, by length of the shift."""
    best: dict[int, tuple[float, float]] = {}
    for dx, dy, fit, on_tissue in zip(*(scan[key] for key in ("dx_um", "dy_um", "fit", "on_tissue")), strict=True):
        far = round((dx**2 + dy**2) ** 0.5 / 100) * 100
        best[far] = max(best.get(far, (-1.0, 0.0)), (fit, on_tissue))
    rows = [
        (f"{far:,}", show(100 * fit, "percent"), show(100 * on_tissue, "percent"))
        for far, (fit, on_tissue) in sorted(best.items())
    ]
    return Table(
        "Best fit by distance",
        ("Shift, about (µm)", "Explained", f"{places.capitalize()} on tissue"),
        rows,
        numeric=frozenset({0, 1, 2}),
        folded=True,
    )
