"""One rule of the verdict: a figure, its limits, where they come from, and the sentence that names the problem."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from clearspot.contract.metric import Kind, Metric
from clearspot.contract.metrics import get_metric, is_declared
from clearspot.display.format import brief, show
from clearspot.errors import BadInputError, Problem
from clearspot.report.blocks import Light
from clearspot.report.metrics import SampleRecords

Direction = Literal["below", "above"]

_OPTIONAL: Final = re.compile(r"\[([^\]]*)\]")

_LIMITS: Final = ("look", "bad", "guard_limit")


@dataclass(frozen=True)
class Rule:
    """A limit on one metric, in the direction that its declaration calls worse.

    Parameters
    ----------
    id
        Name in a thresholds file.
    step, metric
        Names of the step (or :data:`clearspot.contract.metrics_of_space_ranger.SPACE_RANGER`) and of its metric.
    look, bad
        Limits of the yellow and of the red light; ``None``: no such light.
    problem
        What is wrong with a value beyond a limit, without capital and full stop: ``{value}`` is the figure, ``{name}``
        another metric of the step, ``{table.column}`` the first row of one of its tables, ``{places}`` spots or bins,
        ``{place}`` one of them. A part in square brackets is left out if a figure in it was not measured.
        The limit is put behind it.
    advice
        What such a value can mean, and what to do.
    source
        Where the limits come from.
    required
        Whether a missing figure is worth a line of its own.
    of
        Whether the limits hold for spots, for Visium HD's bins, for its segmented cells, or for all of them.
    genes
        Whether they hold for panels of some genes, for whole transcriptomes, or for both.
    guard, guard_limit
        Another metric of the step (the figure's p-value, say), and its largest value with which the rule speaks; empty:
        it always does.
    excuse
        Why the figure is no fault where the guard keeps the rule silent; with the same names as ``problem``.
    is_open
        Whether the question is then open, so that no green light is due; else the figure is good.
    topic
        Rules of one topic see one fault in several figures: the verdict names the first of them. Empty: its own.
    replaces
        Start of a step's warning that says what this rule says; the warning is then left out.
    direction
        On which side of a limit values are worse; empty: as the metric's declaration says.
    """

    id: str
    step: str
    metric: str
    look: float | None
    bad: float | None
    problem: str
    advice: str
    source: str
    required: bool = True
    of: Literal["spot", "bin", "cell", "both"] = "both"
    genes: Literal["panel", "whole", "both"] = "both"
    guard: str = ""
    guard_limit: float | None = None
    excuse: str = ""
    is_open: bool = False
    topic: str = ""
    replaces: str = ""
    direction: Literal["below", "above", ""] = ""

    @property
    def declared(self) -> Metric:
        """Declaration of the metric."""
        return get_metric(self.step, self.metric)

    @property
    def title(self) -> str:
        """What is looked at, in words for samples of any kind; of one sample: :meth:`SampleRecords.title`."""
        return self.declared.title_for("spot" if self.of == "both" else self.of)

    @property
    def kind(self) -> Kind:
        """Kind of the metric."""
        return self.declared.kind

    @property
    def worse(self) -> Direction:
        """Direction that is bad.

        Raises
        ------
        ValueError
            If neither direction of the metric is better.
        """
        if self.direction:
            return self.direction
        if self.declared.better == "neither":
            raise ValueError(
                f"{self.step}.{self.metric} does not declare which direction is better, so it cannot have a limit"
            )
        return "below" if self.declared.better == "higher" else "above"

    def applies(self, records: SampleRecords) -> bool:
        """Whether the limits hold for a sample of this kind."""
        genes = "panel" if records.is_panel else "whole"
        return self.of in ("both", records.spot_word) and self.genes in ("both", genes)

    def judge(self, records: SampleRecords) -> Light:
        """Return the light of a sample's figure."""
        light = self.light(records.metric(self.step, self.metric))
        if light in ("look", "bad") and self.guard and self.guard_limit is not None:
            guard = records.metric(self.step, self.guard)
            if not isinstance(guard, (int, float)) or guard > self.guard_limit:
                return "info" if self.is_open else "good"
        return light

    def light(self, value: Any) -> Light:
        """Return the light of a value; yes and no count as 1 and 0."""
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            return "unknown"
        if self._beyond(value, self.bad):
            return "bad"
        return "look" if self._beyond(value, self.look) else "good"

    def reason(self, records: SampleRecords, light: Light) -> str:
        """Say what is wrong, with the figure and the limit that it is beyond."""
        limit = self.bad if light == "bad" else self.look
        said = self._said(self.problem, records, limit)
        if self.kind == "flag" or limit is None:
            return said
        return f"{said} (limit {brief(limit, self.kind)})"

    def excused(self, records: SampleRecords) -> str:
        """Say why a figure beyond a limit is no fault; empty where it is within."""
        if self.light(records.metric(self.step, self.metric)) in ("good", "unknown"):
            return ""
        return self._said(self.excuse, records, self.look)

    def advised(self, records: SampleRecords) -> str:
        """Say what may be the cause, and what to do."""
        return self._said(self.advice, records, None)

    def within(self) -> str:
        """Say what the limits ask for; empty where that is plain."""
        limit = self.bad if self.look is None else self.look
        if limit is None or self.kind == "flag":
            return ""
        return f"{'at least' if self.worse == 'below' else 'at most'} {show(limit, self.kind)}"

    def _said(self, sentence: str, records: SampleRecords, limit: float | None) -> str:
        value = records.metric(self.step, self.metric)
        figures = _Figures(self, records, brief(value, self.kind, apart_from=limit))
        known = _OPTIONAL.sub(lambda part: _if_measured(part[1].format_map(figures)), sentence)
        return known.format_map(figures)

    def _beyond(self, value: float, limit: float | None) -> bool:
        if limit is None:
            return False
        return value < limit if self.worse == "below" else value > limit


def _if_measured(part: str) -> str:
    return "" if brief(None) in part else part


class _Figures(dict[str, Any]):
    """What a rule's sentence may name; metrics and tables of its step are looked up on demand."""

    def __init__(self, rule: Rule, records: SampleRecords, value: str):
        super().__init__(value=value, place=records.spot_word, places=f"{records.spot_word}s")
        self._rule, self._records = rule, records

    def __missing__(self, name: str) -> Any:
        if not is_declared(self._rule.step, name):
            table = self._records.table(self._rule.step, name)
            return _FirstRow({column: values[0] for column, values in table.items()})
        other = get_metric(self._rule.step, name)
        return brief(self._records.metric(self._rule.step, name), other.kind)


class _FirstRow:
    """First row of a table; what it lacks was not measured."""

    def __init__(self, row: dict[str, Any]):
        self._row = row

    def __getattr__(self, column: str) -> str:
        return brief(self._row.get(column))


def read_thresholds(path: Path, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Replace limits by those of a YAML file (``rule id: {look: number, bad: number}``; null: no such light).

    ``guard_limit`` replaces the largest value of its guard with which a rule speaks, where it has one; null: it always
    speaks.

    Raises
    ------
    BadInputError
        With everything that is wrong with the file: no YAML, a rule or a limit that does not exist, no number.
    """
    by_id = {rule.id: rule for rule in rules}
    try:
        given = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _bad_limits(path, [f"not valid YAML: {error}"]) from error
    if not isinstance(given, dict):
        raise _bad_limits(path, [f"{given!r}"])
    wrong = [f"{name}: {limits}" for name, limits in given.items() if not _are_limits(limits, by_id.get(name))]
    if wrong:
        raise _bad_limits(path, wrong)
    return tuple(replace(rule, **given.get(rule.id, {})) for rule in rules)


def _are_limits(limits: Any, rule: Rule | None) -> bool:
    return (
        rule is not None
        and isinstance(limits, dict)
        and set(limits) <= set(_LIMITS if rule.guard else _LIMITS[:2])
        and all(value is None or type(value) in (int, float) for value in limits.values())
    )


def _bad_limits(path: Path, wrong: Sequence[str]) -> BadInputError:
    expected = "lines such as 'percent_spots_pass: {look: 80, bad: 40}', with names listed in docs/output.md"
    mend = "correct or remove these lines"
    return BadInputError([Problem("cohort", Path(path).name, found, expected, mend) for found in wrong])
