"""Traffic lights: recorded figures against limits, with the reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from clearspot.contract.metric import Kind, Metric
from clearspot.contract.metrics import get_metric
from clearspot.contract.steps import get_step
from clearspot.errors import BadInputError, Problem
from clearspot.record import StepRecord
from clearspot.report.blocks import Finding, Light
from clearspot.report.format import show, show_metric
from clearspot.report.metrics import SampleRecords, reason_of

WARNING: Final = "Warning"
"""Title of a finding that stands for a step's warning."""

_MOST_REASONS: Final = 4

_ORDER: Final[dict[Light, int]] = {"info": -1, "unknown": 0, "good": 1, "look": 2, "bad": 3}


@dataclass(frozen=True)
class Rule:
    """A limit on one metric, in the direction that its declaration calls worse.

    Parameters
    ----------
    id
        Name in a thresholds file.
    step, metric
        Names of the step (or :data:`clearspot.contract.metrics.SPACE_RANGER`) and of its metric.
    look, bad
        Limits of the yellow and of the red light; ``None``: no such light.
    advice
        What a value beyond a limit means, and what to do.
    required
        Whether a missing figure is worth a line of its own.
    of
        Whether the limits hold for spots, for Visium HD's bins, or for both.
    """

    id: str
    step: str
    metric: str
    look: float | None
    bad: float | None
    advice: str
    required: bool = True
    of: Literal["spot", "bin", "both"] = "both"

    @property
    def declared(self) -> Metric:
        """Declaration of the metric."""
        return get_metric(self.step, self.metric)

    @property
    def title(self) -> str:
        """What is looked at, in words."""
        return self.declared.title_for("bin" if self.of == "bin" else "spot")

    @property
    def kind(self) -> Kind:
        """Kind of the metric."""
        return self.declared.kind

    @property
    def worse(self) -> Literal["below", "above"]:
        """Direction that is bad.

        Raises
        ------
        ValueError
            If neither direction of the metric is better.
        """
        if self.declared.better == "neither":
            raise ValueError(f"{self.step}.{self.metric} has no better direction, so it can have no limit")
        return "below" if self.declared.better == "higher" else "above"

    def light(self, value: Any) -> Light:
        """Return the light of a value; yes and no count as 1 and 0."""
        if not isinstance(value, (int, float)):
            return "unknown"
        if self._beyond(value, self.bad):
            return "bad"
        return "look" if self._beyond(value, self.look) else "good"

    def _beyond(self, value: float, limit: float | None) -> bool:
        if limit is None:
            return False
        return value < limit if self.worse == "below" else value > limit


def read_thresholds(path: Path, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Replace limits by those of a YAML file (``rule id: {look: number, bad: number}``; null: no such light).

    Raises
    ------
    BadInputError
        With everything that is wrong with the file: no YAML, a rule or a limit that does not exist, no number.
    """
    by_id = {rule.id: rule for rule in rules}
    try:
        given = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _bad_limits(path, [f"no YAML: {error}"]) from error
    if not isinstance(given, dict):
        raise _bad_limits(path, [f"{given!r}"])
    wrong = [f"{name}: {limits}" for name, limits in given.items() if name not in by_id or not _are_limits(limits)]
    if wrong:
        raise _bad_limits(path, wrong)
    return tuple(replace(rule, **given.get(rule.id, {})) for rule in rules)


def _are_limits(limits: Any) -> bool:
    return (
        isinstance(limits, dict)
        and set(limits) <= {"look", "bad"}
        and all(value is None or type(value) in (int, float) for value in limits.values())
    )


def _bad_limits(path: Path, wrong: Sequence[str]) -> BadInputError:
    expected = "lines such as 'percent_spots_pass: {look: 80, bad: 40}', with the names that docs/output.md lists"
    mend = "correct these lines, or take them out"
    return BadInputError([Problem("cohort", Path(path).name, found, expected, mend) for found in wrong])


def findings(records: SampleRecords, rules: Sequence[Rule]) -> list[Finding]:
    """One line a rule that applies, one an optional step without result, one a warning of any step; worst first."""
    found = [line for rule in rules if (line := _line(records, rule)) is not None]
    found += [_lost(step, record) for step, record in records.lost.items()]
    found += [
        Finding("look", WARNING, "", message.text) for _, message in records.messages() if message.level == "warning"
    ]
    return sorted(found, key=lambda line: -_ORDER[line.light])


def verdict(records: SampleRecords, found: Sequence[Finding]) -> Finding:
    """Return the sample's verdict: the worst light, and why."""
    if records.failed_step is not None:
        return Finding("bad", "Not processed.", "", f"{what_happened(records)} See the reason below.")
    worst: Light = max((line.light for line in found), key=_ORDER.__getitem__, default="unknown")
    lines = [line for line in found if line.light == worst]
    reasons = [line.text.rstrip(".") if line.title == WARNING else line.title for line in lines[:_MOST_REASONS]]
    if len(lines) > _MOST_REASONS:
        reasons.append(f"and {len(lines) - _MOST_REASONS} more")
    if worst == "bad":
        return Finding("bad", "Do not use as it is.", "", f"Reason: {'; '.join(reasons)}.")
    if worst == "look":
        return Finding("look", "Look before you use it.", "", f"Worth a look: {'; '.join(reasons)}.")
    if worst == "good":
        return Finding("good", "Usable.", "", f"All {len(lines)} checks that could be made are good.")
    return Finding("unknown", "No verdict.", "", "None of the figures that a verdict rests on was recorded.")


def what_happened(records: SampleRecords) -> str:
    """Say which step left the sample without results; empty where it has them."""
    if records.failed_step is None:
        return ""
    verb = "failed on" if records.status == "failed" else "refused"
    return f"The step {get_step(records.failed_step).title} {verb} this sample."


def _lost(step: str, record: StepRecord) -> Finding:
    verb = "failed" if record.status == "failed" else "refused"
    fixes = "; ".join(dict.fromkeys(problem.mend.rstrip(".") for problem in record.problems))
    text = f"{reason_of(record.problems)}. To fix it: {fixes}." if record.problems else ""
    return Finding("look", f"{get_step(step).title}: {verb}", "", text)


def _line(records: SampleRecords, rule: Rule) -> Finding | None:
    if rule.of not in ("both", records.spot_word):
        return None
    value = records.metric(rule.step, rule.metric)
    light = rule.light(value)
    if light == "unknown":
        return Finding("unknown", rule.title, "", "Not measured.") if rule.required and records.ran(rule.step) else None
    limit = rule.bad if light == "bad" else rule.look
    if rule.kind == "flag" and light != "good":
        return None  # the step that made the test warns in its own words
    if light == "good":
        text = (
            ""
            if limit is None or rule.kind == "flag"
            else f"Within the limit ({'at least' if rule.worse == 'below' else 'at most'} {show(limit, rule.kind)})."
        )
    else:
        text = f"{rule.worse.capitalize()} {show(limit, rule.kind)}. {rule.advice}"
    return Finding(light, rule.title, show_metric(value, rule.declared), text)
