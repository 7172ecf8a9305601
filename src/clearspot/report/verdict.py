"""The verdict: what the steps recorded against limits, the worst light, and why, in words and figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from clearspot.contract.steps import get_step
from clearspot.display.format import capitalised, show_metric
from clearspot.record import StepRecord
from clearspot.report.blocks import Finding, Light
from clearspot.report.metrics import SampleRecords, reason_of
from clearspot.report.rule import Rule

WARNING: Final = "Warning"
"""Title of a finding that stands for a step's warning."""

_MOST_REASONS: Final = 4

_ORDER: Final[dict[Light, int]] = {"info": -1, "unknown": 0, "good": 1, "look": 2, "bad": 3}

_BRACKETS: Final = re.compile(r"\([^()]*\)")

_TITLES: Final[dict[Light, str]] = {"bad": "Do not use:", "look": "Look first:"}


def findings(records: SampleRecords, rules: Sequence[Rule]) -> list[Finding]:
    """One line a rule that applies, one an optional step without result, one a warning of any step; worst first.

    A warning that says what a rule says is left out: the rule has the figure and the limit.
    """
    found = [line for rule in rules if rule.applies(records) and (line := _line(records, rule)) is not None]
    found += [_lost(step, record) for step, record in records.lost.items()]
    told = tuple(rule.replaces for rule in rules if rule.replaces and _is_measured(records, rule))
    found += [
        Finding("look", WARNING, "", message.text, reason=message.text.rstrip("."))
        for _, message in records.messages()
        if message.level == "warning" and not message.text.startswith(told)
    ]
    return sorted(found, key=lambda line: -_ORDER[line.light])


def verdict(records: SampleRecords, found: Sequence[Finding]) -> Finding:
    """Return the sample's verdict: the worst light, and why."""
    if records.failed_step is not None:
        return Finding("bad", "Not processed.", "", f"{what_happened(records)} The reason is given below.")
    worst: Light = max((line.light for line in found), key=_ORDER.__getitem__, default="unknown")
    if worst in _TITLES:
        return Finding(worst, _TITLES[worst], "", f"{_reasons(found, worst)}.")
    if worst == "good":
        number = sum(line.light == "good" for line in found)
        missing = [line.title for line in found if line.light == "unknown"]
        unknown = f" Not measured: {', '.join(missing)}." if missing else ""
        return Finding("good", "Usable:", "", f"all {number} available checks passed.{unknown}")
    return Finding("unknown", "No verdict:", "", "none of the metrics needed for a verdict is available.")


def what_happened(records: SampleRecords) -> str:
    """Say which step left the sample without results; empty where it has them."""
    if records.failed_step is None:
        return ""
    verb = "failed on" if records.status == "failed" else "refused"
    return f"The step {get_step(records.failed_step).title} {verb} this sample."


def _reasons(found: Sequence[Finding], worst: Light) -> str:
    """The problems of the worst light, those of one topic once."""
    by_topic: dict[str, str] = {}
    for line in found:
        if line.light == worst:
            by_topic.setdefault(line.topic or f"{line.title} {line.text}", line.reason or line.title)
    reasons = list(by_topic.values())[:_MOST_REASONS]
    if len(by_topic) > _MOST_REASONS:
        reasons.append(f"and {len(by_topic) - _MOST_REASONS} more")
    # commas inside a sentence would run into those of the list
    return ("; " if any("," in _BRACKETS.sub("", reason) for reason in reasons) else ", ").join(reasons)


def _is_measured(records: SampleRecords, rule: Rule) -> bool:
    return rule.applies(records) and records.metric(rule.step, rule.metric) is not None


def _lost(step: str, record: StepRecord) -> Finding:
    verb = "failed" if record.status == "failed" else "refused"
    fixes = "; ".join(dict.fromkeys(problem.mend.rstrip(".") for problem in record.problems))
    text = f"{reason_of(record.problems)}. To fix: {fixes}." if record.problems else ""
    title = f"{get_step(step).title}: {verb}"
    return Finding("look", title, "", text, reason=title)


def _line(records: SampleRecords, rule: Rule) -> Finding | None:
    value, title = records.metric(rule.step, rule.metric), records.title(rule.declared)
    light = rule.judge(records)
    if light == "unknown":
        return Finding("unknown", title, "", "Not measured.") if rule.required and records.ran(rule.step) else None
    if light in ("good", "info"):
        within = rule.within()
        text = f"Within the limit ({within})." if within and rule.light(value) == "good" else rule.excused(records)
        return Finding(light, title, show_metric(value, rule.declared), text)
    reason = rule.reason(records, light)
    return Finding(light, capitalised(reason), "", rule.advised(records), reason=reason, topic=rule.topic or rule.id)
