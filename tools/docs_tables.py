#!/usr/bin/env python3
"""Regenerate the tables of the documentation: steps, metrics, limits, columns of ``qc_summary.csv``.

A table stands between two comments in a page of ``docs/``, ``<!-- table: NAME -->`` and ``<!-- end of table -->``.
``--check`` changes nothing and exits with 1 where a page is stale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from clearspot.contract.metrics import METRICS
from clearspot.contract.steps import STEPS
from clearspot.report.rule import Rule
from clearspot.report.rules import RULES
from clearspot.report.summary import COLUMNS, SAMPLE_COLUMN, VERDICT_COLUMNS

DOCS: Final = Path(__file__).parents[1] / "docs"

_MARKED: Final = re.compile(r"(<!-- table: (?P<name>\w+) -->\n).*?(<!-- end of table -->)", flags=re.DOTALL)


def steps_table() -> str:
    """One row a step."""
    rows = [
        (
            f"`{step.name}`",
            step.title,
            step.does,
            "yes" if step.required else "no",
            "" if step.record is None else f"`{step.record.format(sample='<sample>')}`",
        )
        for step in STEPS
    ]
    return _table(("step", "title", "what it does", "required", "record"), rows)


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


TABLES: Final[dict[str, Callable[[], str]]] = {
    "steps": steps_table,
    "metrics": metrics_table,
    "limits": limits_table,
    "summary": summary_table,
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
