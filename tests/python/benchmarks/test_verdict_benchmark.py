"""The benchmark of the verdict: its slides, and how they are counted."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from clearspot.record import StepRecord
from clearspot.report.rule import Rule
from clearspot.report.rules import RULES
from clearspot.simulate.choices import FAULTS
from tests.helpers.benchmark_modules import benchmark_modules


@pytest.fixture
def load() -> Iterator[Callable[[str], ModuleType]]:
    """Import a module of the benchmark."""
    with benchmark_modules("verdict") as load:
        yield load


RULE = Rule("percent_spots_pass", "qc", "percent_spots_pass", 70, 30, "{value} pass", "", "a test")


def lines(load: Any, case: Any, percent: float) -> Any:
    record = StepRecord(case.name, "qc", metrics={"percent_spots_pass": percent, "n_spots": 9, "hvg_method": None})
    return load("results").as_line(case, [record], 1.0)


def test_there_are_as_many_slides_as_promised_and_every_fault_in_every_strength(load: Any) -> None:
    cases = list(load("cases").all_cases())
    assert len({case.name for case in cases}) == len(cases)
    assert sum(not case.faults for case in cases) >= 20
    assert sum(bool(case.faults) for case in cases) >= 100
    made = {(case.faults, case.strength, case.chemistry) for case in cases if case.chemistry}
    for kind in FAULTS:
        strengths = ("strong",) if kind in ("mirrored", "rotated") else ("weak", "middle", "strong")
        assert {((kind,), strength, c) for strength in strengths for c in ("v1", "v2", "hd")} <= made


def test_both_halves_have_slides_of_every_kind(load: Any) -> None:
    cases = [case for case in load("cases").all_cases() if case.chemistry]
    assert {case.kind for case in cases if case.half == "choose"} == {c.kind for c in cases if c.half == "show"}


def test_the_rules_that_are_right_about_a_fault_are_rules(load: Any) -> None:
    named = {name for right in load("cases").RIGHT.values() for name in right}
    assert named <= {rule.id for rule in RULES}
    assert set(FAULTS) <= set(load("cases").RIGHT)


def test_a_slide_is_judged_from_its_line_alone(load: Any, tmp_path: Path) -> None:
    case = load("cases").Case("x", ("low_counts",), "strong", "v1", 1)
    (tmp_path / "r.jsonl").write_text(lines(load, case, 80.0) + "\n" + lines(load, case, 20.0) + "\n")
    ((read, records),) = load("results").read(tmp_path / "r.jsonl")
    judged = load("results").judge(read, records, [RULE])
    assert read == case
    assert (judged.verdict.light, judged.right) == ("bad", {"low_counts": True})


def test_a_fault_that_another_rule_sees_is_not_named_for_the_right_reason(load: Any) -> None:
    case = load("cases").Case("x", ("pale",), "strong", "v1", 1)
    record = StepRecord("x", "qc", metrics={"percent_spots_pass": 20.0})
    judged = load("results").judge(case, load("results").SampleRecords("x", {"qc": record}), [RULE])
    assert (judged.verdict.light, judged.right) == ("bad", {"pale": False})


def test_tables_count_what_is_found_and_what_is_doubted(load: Any) -> None:
    case, good = load("cases").Case("x", ("low_counts",), "middle", "v1", 1), load("cases").Case("g", seed=1)
    found = [
        load("results").judge(one, load("results").SampleRecords(one.name, {"qc": record}), [RULE])
        for one, percent in ((case, 20.0), (case, 90.0), (good, 60.0))
        for record in [StepRecord(one.name, "qc", metrics={"percent_spots_pass": percent})]
    ]
    table = load("table")
    assert "| low_counts |  | 1, 1 of 2 |" in table.sensitivity(found)
    assert "named for the right reason: 50 % of 2" in table.sensitivity(found)
    assert "1 good slides, 1 not green, 0 for a fault that is inferred" in table.false_alarms(found)


def test_a_spoilt_slide_goes_through_the_steps(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slides = load("slides")
    monkeypatch.setattr(slides, "_WIDTH_UM", {"v1": 1000.0})
    monkeypatch.setattr(slides, "_GENES", (160, 160))
    done = slides.records(load("cases").Case("x", ("low_counts",), "weak", "v1", 100))
    assert [record.step for record in done] == ["check", "ingest", "qc", "graph"]
    refused = slides.records(load("cases").Case("x", ("low_counts",), "strong", "v1", 100))
    assert (refused[-1].step, refused[-1].status) == ("qc", "bad_input")
