#!/usr/bin/env python3
"""Regenerate the tables of the documentation: steps, metrics, limits, columns of ``qc_summary.csv``, parameters.

A table stands between two comments in a page of ``docs/``, ``<!-- table: NAME -->`` and ``<!-- end of table -->``.
``--check`` changes nothing and exits with 1 where a page is stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import click

from clearspot.contract.metrics import METRICS
from clearspot.contract.steps import STEPS
from clearspot.report.rule import Rule
from clearspot.report.rules import RULES
from clearspot.report.summary import COLUMNS, SAMPLE_COLUMN, VERDICT_COLUMNS

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"

_MARKED: Final = re.compile(r"(<!-- table: (?P<name>\w+) -->\n).*?(<!-- end of table -->)", flags=re.DOTALL)


def steps_table() -> str:
    """One row a step."""
    rows = [
        (
            f"`{step.name}`",
            step.title,
            step.does,
            "yes" if step.required else "no",
            _files([] if step.record is None else [step.record]),
            _files(step.outputs),
        )
        for step in STEPS
    ]
    return _table(("step", "title", "what it does", "required", "record", "files"), rows)


def _files(names: Iterable[str]) -> str:
    return ", ".join(f"`{name.format(sample='<sample>')}`" for name in names)


def metrics_table() -> str:
    """One row a metric."""
    rows = [
        (
            ", ".join(metric.steps),
            f"`{metric.name}`",
            metric.meaning,
            metric.kind,
            "" if metric.better == "neither" else metric.better,
            metric.when or "always",
        )
        for metric in METRICS
    ]
    return _table(("step", "metric", "meaning", "kind", "better", "condition"), rows)


def limits_table() -> str:
    """One row a limit."""
    rows = [
        (
            f"`{rule.id}`",
            f"{rule.title}{_PLACES[rule.of]}{_GENES[rule.genes]}{_SCALES.get(rule.kind, '')}; {rule.worse}",
            *("" if value is None else f"{value:g}" for value in (rule.look, rule.bad)),
            f"{rule.source}{_guard(rule)}",
        )
        for rule in RULES
    ]
    return _table(("name", "metric; worse direction", "look", "bad", "source"), rows)


def _guard(rule: Rule) -> str:
    """Where alone the rule speaks."""
    return f"; applies only if `{rule.guard}` is at most {rule.guard_limit:g} (`guard_limit`)" if rule.guard else ""


_PLACES: Final = {"both": "", "spot": " (spots)", "bin": " (Visium HD bins)", "cell": " (segmented cells)"}
_GENES: Final = {"both": "", "panel": " (panels of genes)", "whole": " (whole transcriptomes)"}
_SCALES: Final = {"fraction": ", 0 to 1", "percent": ", percent", "flag": " (1: yes, 0: no)"}


def summary_table() -> str:
    """One row a column of ``qc_summary.csv``."""
    columns = SAMPLE_COLUMN | VERDICT_COLUMNS | {column.name: column.meaning for column in COLUMNS}
    return _table(("column", "meaning"), [(f"`{name}`", meaning) for name, meaning in columns.items()])


def parameters_table() -> str:
    """One table for each group of ``nextflow_schema.json``, one row a parameter."""
    groups = json.loads((ROOT / "nextflow_schema.json").read_text(encoding="utf-8"))["$defs"]
    return "".join(_parameter_group(group) for group in groups.values()) + "\n"


def _parameter_group(group: dict[str, Any]) -> str:
    required = set(group.get("required", ()))
    rows = [
        (
            f"`--{name}`",
            "required" if name in required else _default(one),
            _allowed(one),
            _linked(" ".join(filter(None, (one["description"], one.get("help_text"))))),
        )
        for name, one in group["properties"].items()
    ]
    head = ("parameter", "default", "value", "meaning")
    return f"\n## {group['title']}\n\n{_linked(group['description'])}\n\n{_table(head, rows)}"


def _default(one: dict[str, Any]) -> str:
    if "default" not in one:
        return ""
    value = one["default"]
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _allowed(one: dict[str, Any]) -> str:
    """Values that a parameter takes."""
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    bounds = [f"{word} {one[key]:g}" for key, word in _BOUNDS.items() if key in one]
    return ", ".join([_FORMATS.get(one.get("format", ""), one["type"]), *bounds])


_BOUNDS: Final = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_FORMATS: Final = {"file-path": "file", "directory-path": "folder"}


def _linked(text: str) -> str:
    """The text of the schema with links to the pages that it names."""
    return re.sub(r"\bdocs/([\w/]+\.md)", r"[\1](\1)", text).replace("|", "\\|")


TABLES: Final[dict[str, Callable[[], str]]] = {
    "steps": steps_table,
    "metrics": metrics_table,
    "limits": limits_table,
    "summary": summary_table,
    "parameters": parameters_table,
}


def renewed(text: str) -> str:
    """Return a page with its tables as they should be.

    Raises
    ------
    KeyError
        If there is no table of a name that the page has.
    """
    return _MARKED.sub(lambda match: match[1] + TABLES[match["name"]]() + match[3], text)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


@click.command()
@click.option("--check", is_flag=True, help="Do not write; exit with 1 if a page is out of date.")
def main(check: bool) -> None:
    """Regenerate the tables in docs/ from the declarations in the code."""
    stale = []
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        if (new := renewed(text)) != text:
            stale.append(page.relative_to(DOCS.parent))
            if not check:
                page.write_text(new, encoding="utf-8")
    for page in stale:
        click.echo(f"{page}: {'stale, run python tools/docs_tables.py' if check else 'written'}")
    if check and stale:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
