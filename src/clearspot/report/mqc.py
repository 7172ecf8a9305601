"""Sections of MultiQC's "custom content": plain dictionaries, data and never pictures of plots."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from clearspot.contract.metric import Kind
from clearspot.io.atomic import atomic_path
from clearspot.report.rule import Rule

PARENT: Final = {
    "parent_id": "clearspot",
    "parent_name": "clearspot",
    "parent_description": "Quality control, denoising, domains and super-resolution of spatial transcriptomics data.",
}

_SHARE: Final = re.compile("Fraction |Valid |Q30 |Reads (Half-|Split-)?Mapped |Sequencing Sat|Estimated UMIs .*DNA$")
"""Names under which Space Ranger states shares."""

MOST_COLUMNS: Final = 8
"""Columns of a table that are shown at first; "Configure columns" shows the others."""

CustomContent = dict[str, Any]
"""One section as MultiQC reads it: id, names, kind of plot, its settings and data."""


def table(
    section_id: str,
    name: str,
    description: str,
    rows: Mapping[str, Mapping[str, Any]],
    headers: Mapping[str, Mapping[str, Any]],
    *,
    kind: str = "table",
    first: str = "Sample",
) -> CustomContent:
    """Return a table (or, with ``kind='violin'``, its columns as distributions over the samples).

    A table shows its first :data:`MOST_COLUMNS` columns that have values.
    """
    used = [key for key in headers if any(key in row for row in rows.values())]
    hidden = used[MOST_COLUMNS:] if kind == "table" else []
    plot = {"id": f"{section_id}_table", "title": f"clearspot: {name}", "col1_header": first, "no_violin": False}
    return _section(section_id, name, description, kind, plot, rows) | {
        "headers": {key: dict(header) | ({"hidden": True} if key in hidden else {}) for key, header in headers.items()}
    }


def lines(
    section_id: str, name: str, description: str, series: Mapping[str, Sequence[tuple[float, float]]], *, x: str, y: str
) -> CustomContent:
    """Return a line plot, one line per sample: pairs, because MultiQC would sort keys of JSON as text."""
    plot = {"id": f"{section_id}_plot", "title": f"clearspot: {name}", "xlab": x, "ylab": y}
    return _section(section_id, name, description, "linegraph", plot, series)


def bars(
    section_id: str,
    name: str,
    description: str,
    rows: Mapping[str, Mapping[str, float]],
    categories: Mapping[str, Mapping[str, str]],
    *,
    y: str,
) -> CustomContent:
    """Return a stacked bar plot, one bar a sample."""
    plot = {"id": f"{section_id}_plot", "title": f"clearspot: {name}", "ylab": y, "cpswitch_counts_label": y}
    return _section(section_id, name, description, "bargraph", plot, rows) | {
        "categories": {k: dict(v) for k, v in categories.items()}
    }


def text(section_id: str, name: str, description: str, content: str) -> CustomContent:
    """Return a section of HTML."""
    return PARENT | {
        "id": section_id, "section_name": name, "description": description, "plot_type": "html", "data": content,
    }  # fmt: skip


def general_statistics(
    rows: Mapping[str, Mapping[str, Any]], headers: Sequence[tuple[str, Mapping[str, Any]]]
) -> CustomContent:
    """Return columns of the table at the top of the report."""
    return {
        "id": "clearspot_general",
        "plot_type": "generalstats",
        "namespace": "clearspot",
        "headers": [{name: dict(settings)} for name, settings in headers],
        "data": {sample: dict(row) for sample, row in rows.items()},
    }


def limits(rule: Rule) -> dict[str, Any]:
    """Return the conditional formatting of a column that a rule judges: the report's traffic lights."""
    if rule.kind == "flag":
        return {
            "cond_formatting_rules": {
                "pass": [{"s_eq": "yes"}],
                "warn" if rule.bad is None else "fail": [{"s_eq": "no"}],
            }
        }
    sign = "lt" if rule.worse == "below" else "gt"
    beyond = {"warn": shown(rule.look, rule.kind), "fail": shown(rule.bad, rule.kind)}
    return {
        "cond_formatting_rules": {
            "pass": [{"gt" if sign == "lt" else "lt": -1e300 if sign == "lt" else 1e300}],
            **{light: [{sign: limit}] for light, limit in beyond.items() if limit is not None},
        }
    }


def column_key(name: str) -> str:
    """Return a column's name as MultiQC wants its key: letters, digits, underscores."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name.replace("µ", "u"))


def shown(value: Any, kind: Kind) -> Any:
    """Return a value as the tables have it: every share in percent, a number to three digits or whole, text escaped."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return escape(value)
    if kind in ("fraction", "skill"):
        return round(100 * value, 6)
    return _rounded(value) if kind == "number" else value


def _rounded(value: float) -> float:
    """A format of three digits would write 2,237 as 2.24e+03."""
    number = float(f"{value:.3g}") if abs(value) < 1000 else value
    return round(number) if abs(value) >= 1000 or number.is_integer() else number


def stated_kind(name: str, numbers: Sequence[float]) -> Kind:
    """Return the kind of a metric of ``metrics_summary.csv``, in which shares are 0 to 1."""
    if not numbers:
        return "text"
    if _SHARE.match(name):
        return "fraction" if max(numbers) <= 1 else "percent"
    return "count" if max(numbers) > 1 or all(float(number).is_integer() for number in numbers) else "number"


def escape(value: Any) -> Any:
    """Return text safe in MultiQC's page, which shows strings as they come."""
    return html.escape(value) if isinstance(value, str) else value


def write_section(section: CustomContent, outdir: Path) -> Path:
    """Write a section where MultiQC finds it."""
    path = outdir / f"{section['id']}_mqc.json"
    with atomic_path(path) as partial:
        # The order of columns and categories is meant: keys are not sorted.
        partial.write_text(json.dumps(section, indent=1, allow_nan=False), encoding="utf-8")
    return path


def _section(
    section_id: str, name: str, description: str, kind: str, plot: Mapping[str, Any], data: Mapping[str, Any]
) -> CustomContent:
    return PARENT | {
        "id": section_id, "section_name": name, "description": description, "plot_type": kind,
        "pconfig": dict(plot), "data": dict(data),
    }  # fmt: skip
