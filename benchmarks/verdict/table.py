#!/usr/bin/env python3
"""Print how many spoilt slides the verdict finds, for the right reason, and how many good ones it doubts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import numpy as np
from cases import GOOD, INFERRED, RIGHT
from results import RESULTS, Judged, judge, read

from clearspot.report.rule import Rule, read_thresholds
from clearspot.report.rules import RULES

_STRENGTHS = ("weak", "middle", "strong", "")


@click.command()
@click.option("--half", type=click.Choice(["choose", "show", "both"]), default="show", show_default=True,
              help="Slides that limits were chosen on, those kept aside, or all.")  # fmt: skip
@click.option("--limits", is_flag=True, help="Print the figures of good and spoilt slides beside each measured limit.")
@click.option("--thresholds", type=click.Path(exists=True, path_type=Path), help="Limits to try, as for the pipeline.")
@click.option("--results", type=click.Path(exists=True, path_type=Path), default=RESULTS, show_default=True)
def main(half: str, limits: bool, thresholds: Path | None, results: Path) -> None:
    """Print the tables."""
    rules = RULES if thresholds is None else read_thresholds(thresholds, RULES)
    judged = [judge(case, records, rules) for case, records in read(results)]
    chosen = [one for one in judged if half in ("both", one.case.half)]
    parts = [sensitivity(chosen), false_alarms(chosen)]
    if limits:
        parts.append(limits_table(chosen, rules))
    sys.stdout.write("\n".join(parts))


def sensitivity(judged: Sequence[Judged]) -> str:
    """Kind x strength: slides, how many are not green, and how many are named for the right reason."""
    rows = []
    spoilt = [one for one in judged if one.case.faults]
    for kind in dict.fromkeys(one.case.kind for one in spoilt):
        cells = []
        for strength in _STRENGTHS:
            of = [one for one in spoilt if one.case.kind == kind and one.case.strength == strength]
            seen = sum(one.verdict.light != "good" for one in of)
            named = sum(all(one.right.values()) for one in of)
            cells.append(f"{seen}, {named} of {len(of)}" if of else "")
        rows.append((kind, *cells))
    singles = [one for one in spoilt if len(one.case.faults) == 1]
    strong = [one for one in singles if one.case.strength == "strong"]
    middle = [one for one in singles if one.case.strength == "middle"]
    said = (
        f"\n{len(spoilt)} spoilt slides. Green although the fault is strong: "
        f"{', '.join(one.case.name for one in strong if one.verdict.light == 'good') or 'none'}. "
        f"Middle faults named for the right reason: {_percent(all(one.right.values()) for one in middle)}.\n"
    )
    head = ("fault", "weak: not green, right reason", "middle", "strong", "real")
    return f"## Spoilt slides\n\n{_table(head, rows)}{said}"


def false_alarms(judged: Sequence[Judged]) -> str:
    """Good slides that are not green: for what is inferred (which can be wrong), and for what is stated."""
    good = [one for one in judged if not one.case.faults]
    rows = [
        (one.case.name, one.verdict.light, ", ".join(sorted(one.alarms & INFERRED)),
         ", ".join(sorted(one.alarms - INFERRED)), one.verdict.text)
        for one in good
        if one.verdict.light != "good"
    ]  # fmt: skip
    wrong = sum(bool(one.alarms & INFERRED) for one in good)
    said = f"\n{len(good)} {GOOD} slides, {len(rows)} not green, {wrong} for a fault that is inferred.\n"
    return f"## Good slides\n\n{_table(('slide', 'light', 'inferred', 'stated', 'reason'), rows)}{said}"


def limits_table(judged: Sequence[Judged], rules: Iterable[Rule]) -> str:
    """For each rule that infers: the worst twentieth of good slides, and the medians of those it should find."""
    rows = []
    for rule in rules:
        kinds = [kind for kind, right in RIGHT.items() if rule.id in right]
        if rule.id not in INFERRED | RIGHT["bleeding"]:
            continue
        good = _values((one for one in judged if not one.case.faults), rule)
        worst = np.nanquantile(good, 0.05 if rule.worse == "below" else 0.95) if good else np.nan
        of = [[one for one in judged if one.case.faults in {(k,) for k in kinds} and one.case.strength == s]
              for s in _STRENGTHS[:3]]  # fmt: skip
        medians = [np.nanmedian(values) if (values := _values(part, rule)) else np.nan for part in of]
        rows.append((f"`{rule.id}`", rule.worse, *(f"{x:.4g}" for x in (_number(rule.look), _number(rule.bad))),
                     f"{worst:.4g}", *(f"{x:.4g}" for x in medians)))  # fmt: skip
    head = ("rule", "worse", "look", "bad", "worst twentieth of good", "weak", "middle", "strong (medians)")
    return f"## Figures beside the limits\n\n{_table(head, rows)}"


def _values(judged: Iterable[Judged], rule: Rule) -> list[float]:
    found = [one.records.metric(rule.step, rule.metric) for one in judged if rule.applies(one.records)]
    return [float(value) for value in found if isinstance(value, (int, float))]


def _number(limit: float | None) -> float:
    return float("nan") if limit is None else limit


def _percent(hits: Iterable[bool]) -> str:
    found = list(hits)
    return f"{100 * sum(found) / len(found):.0f} % of {len(found)}" if found else "none made"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
