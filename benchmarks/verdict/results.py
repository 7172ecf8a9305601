"""Results of the benchmark: one line a slide, with the figures that the verdict's rules look at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cases import REFUSAL, RIGHT, Case

from clearspot.errors import Problem
from clearspot.record import Message, StepRecord
from clearspot.report.blocks import Finding
from clearspot.report.metrics import SampleRecords
from clearspot.report.rule import Rule
from clearspot.report.verdict import findings, verdict

RESULTS: Final = Path(__file__).with_name("results.jsonl")

_TABLES: Final = ("space_ranger", "regions")
"""Tables that rules read."""


@dataclass(frozen=True)
class Judged:
    """One slide with its verdict.

    Parameters
    ----------
    case
        The slide.
    records
        What the steps recorded.
    verdict
        Light and reason.
    alarms
        Rules whose light is not good.
    right
        By fault of the case: whether it was named for the right reason.
    """

    case: Case
    records: SampleRecords
    verdict: Finding
    alarms: frozenset[str]
    right: dict[str, bool]


def as_line(case: Case, records: Iterable[StepRecord], seconds: float) -> str:
    """Return the slide as a line of the results."""
    steps = {
        record.step: {
            "status": record.status,
            "metrics": {name: value for name, value in record.metrics.items() if value is not None},
            "tables": {name: record.tables[name] for name in _TABLES if name in record.tables},
            "messages": [[message.level, message.text] for message in record.messages],
            "problems": [problem.as_dict() for problem in record.problems],
        }
        for record in records
    }
    return json.dumps({"case": case.as_dict(), "seconds": round(seconds, 1), "steps": steps}, default=_plain)


def read(path: Path = RESULTS) -> list[tuple[Case, SampleRecords]]:
    """Read the results; the last line of a slide counts."""
    found: dict[str, tuple[Case, SampleRecords]] = {}
    for text in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        line = json.loads(text)
        case = Case(**line["case"] | {"faults": tuple(line["case"]["faults"])})
        found[case.name] = (
            case,
            SampleRecords(case.name, {s: _record(case, s, one) for s, one in line["steps"].items()}),
        )
    return list(found.values())


def judge(case: Case, records: SampleRecords, rules: Iterable[Rule]) -> Judged:
    """Give a verdict, and say whether it is right about each fault."""
    rules = list(rules)
    lights = {rule.id: rule.judge(records) for rule in rules if rule.applies(records)}
    alarms = frozenset(name for name, light in lights.items() if light in ("look", "bad"))
    said = " ".join(problem.found for problem in records.problems).lower()
    warned = " ".join(message.text for _, message in records.messages() if message.level == "warning").lower()
    right = {
        fault: bool(alarms & RIGHT[fault])
        or any(words in said for words in REFUSAL.get(fault, ()))
        or (fault in ("mirrored", "rotated") and "turned or mirrored" in warned)
        for fault in case.faults
    }
    return Judged(case, records, verdict(records, findings(records, rules)), alarms, right)


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    return value.tolist()


def _record(case: Case, step: str, line: dict[str, Any]) -> StepRecord:
    return StepRecord(
        case.name,
        step,
        status=line["status"],
        metrics=line["metrics"],
        tables=line["tables"],
        messages=[Message(level, text) for level, text in line["messages"]],
        problems=[Problem(**problem) for problem in line["problems"]],
    )
