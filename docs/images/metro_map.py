"""Draw ``metro_map.svg``: the steps of the pipeline as stations, in the words of the registry of steps.

Run it after a change of the steps: ``python docs/images/metro_map.py``.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from textwrap import wrap

from clearspot.contract.steps import STEPS

COLUMN, ROW, LEFT, TOP = 132, 92, 70, 188
LINES = {
    "every sample": "#0072b2",
    "with a full-resolution image": "#d55e00",
    "references, where there are any": "#009e73",
    "studies of several sections": "#cc79a7",
}
"""What runs on a line, and its colour (Okabe and Ito's)."""

STATIONS = {
    "samplesheet": (0, 1), "check": (1, 1), "ingest": (2, 1), "qc": (3, 1), "graph": (4, 1), "dusted": (5, 1),
    "domains": (6, 1), "histology": (7, 2), "superres_train": (8, 2), "superres": (9, 2), "spatialdata": (9, 0),
    "sample_report": (10, 1), "cohort_report": (11, 1), "reference": (5, 3), "superres_pretrain": (6, 3),
    "study": (7, 0), "study_report": (8, 0), "study_spatialdata": (8, -1),
}  # fmt: skip
"""Column and row of each step."""

TRACKS = {
    "every sample": [
        ["samplesheet", "check", "ingest", "qc", "graph", "dusted", "domains", "sample_report", "cohort_report"],
        ["domains", "spatialdata", "sample_report"],
    ],
    "with a full-resolution image": [["domains", "histology", "superres_train", "superres", "sample_report"]],
    "references, where there are any": [["samplesheet", "reference", "superres_pretrain", "superres_train"]],
    "studies of several sections": [["domains", "study", "study_report"], ["study", "study_spatialdata"]],
}
"""Which stations a line joins."""


def place(name: str) -> tuple[int, int]:
    """Pixels of a station."""
    column, row = STATIONS[name]
    return LEFT + COLUMN * column, TOP + ROW * row


def track(names: list[str], colour: str) -> str:
    """A line through stations, which leaves the level at 45 degrees just before or after a station."""
    x, y = place(names[0])
    path = [f"M{x} {y}"]
    for name in names[1:]:
        to_x, to_y = place(name)
        drop = abs(to_y - y)
        if drop and to_y > y:  # down at once, then level
            path.append(f"L{x + drop} {to_y}" if drop < to_x - x else "")
        elif drop:  # level, then up
            path.append(f"L{to_x - drop} {y}" if drop < to_x - x else "")
        path.append(f"L{to_x} {to_y}")
        x, y = to_x, to_y
    line = " ".join(filter(None, path))
    return f'<path d="{line}" fill="none" stroke="{colour}" stroke-width="9" stroke-linejoin="round"/>'


def station(name: str, title: str, process: str, required: bool) -> str:
    """A stop with its name, above or, on the last row, below; grey where a sample can do without."""
    x, y = place(name)
    rows = wrap(title, 20, break_on_hyphens=False)
    side, anchor = x, "middle"
    if name == "sample_report":  # lines come from both sides
        first, side, anchor = y + 26, x + 6, "start"
    else:
        first = y - 18 - 15 * (len(rows) - 1) if STATIONS[name][1] < 3 else y + 28
    label = "".join(
        f'<text x="{side}" y="{first + 15 * i}" text-anchor="{anchor}">{escape(row)}</text>'
        for i, row in enumerate(rows)
    )
    rim = "#222222" if required else "#8a8a8a"
    stop = f'<circle cx="{x}" cy="{y}" r="9" fill="#ffffff" stroke="{rim}" stroke-width="3"/>'
    return f"<g><title>{escape(process)}</title>{stop}{label}</g>"


def metro_map() -> str:
    """Return the drawing."""
    width = 2 * LEFT + COLUMN * max(column for column, _ in STATIONS.values())
    height = TOP + ROW * 4 + 30
    parts = [track(names, LINES[line]) for line in reversed(TRACKS) for names in TRACKS[line]]
    parts += [station(step.name, step.title, step.process, step.required) for step in STEPS]
    for i, (line, colour) in enumerate(LINES.items()):
        x, y = LEFT + 300 * i, height - 28
        parts.append(f'<path d="M{x} {y}h34" stroke="{colour}" stroke-width="9"/>')
        parts.append(f'<text x="{x + 44}" y="{y + 5}">{escape(line)}</text>')
    x = LEFT + 300 * len(LINES)
    parts.append(f'<circle cx="{x}" cy="{height - 28}" r="9" fill="#ffffff" stroke="#8a8a8a" stroke-width="3"/>')
    parts.append(f'<text x="{x + 20}" y="{height - 23}">a sample can do without</text>')
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"',
        'aria-label="Steps of clearspot" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222222">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT - 20}" y="44" font-size="22" font-weight="bold">clearspot</text>',
    ]
    return "\n".join([*head, *parts, "</svg>", ""])


if __name__ == "__main__":
    Path(__file__).with_name("metro_map.svg").write_text(metro_map(), encoding="utf-8")
