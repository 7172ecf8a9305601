from pathlib import Path

import pytest

from clearspot.errors import BadInputError
from clearspot.record import StepRecord
from clearspot.report.metrics import SampleRecords
from clearspot.report.rules import RULES
from clearspot.report.verdict import Rule, findings, read_thresholds, verdict

LEAST = Rule("least", "qc", "n_spots_pass", 100, 10, "Advice.")
MOST = Rule("most", "qc", "median_percent_mt", 20, None, "")


def sample(**metrics: object) -> SampleRecords:
    return SampleRecords("s", {"qc": StepRecord("s", "qc", metrics=metrics)})


@pytest.mark.parametrize(("value", "light"), [(100, "good"), (99, "look"), (10, "look"), (9, "bad"), (None, "unknown")])
def test_a_limit_is_still_good(value: object, light: str) -> None:
    assert LEAST.light(value) == light


def test_above_turns_the_comparison_round() -> None:
    assert [MOST.light(value) for value in (20, 21)] == ["good", "look"]


def test_a_metric_without_a_better_direction_has_no_limit() -> None:
    with pytest.raises(ValueError, match="no better direction"):
        Rule("any", "qc", "n_hvgs", 1, None, "").light(0)


def test_the_worst_light_is_the_verdict_and_names_its_reason() -> None:
    records = sample(n_spots_pass=5)
    judged = verdict(records, findings(records, [LEAST]))
    assert (judged.light, judged.text) == ("bad", "Reason: Spots kept.")


def test_a_figure_that_was_not_measured_does_not_count_against_a_sample() -> None:
    records = sample(n_spots_pass=500)
    assert verdict(records, findings(records, [LEAST, MOST])).light == "good"


def test_a_warning_of_a_step_turns_the_light_yellow() -> None:
    records = sample(n_spots_pass=500)
    records.steps["qc"].note("warning", "the image may be rotated")
    judged = verdict(records, findings(records, [LEAST]))
    assert judged.light == "look"
    assert "the image may be rotated" in judged.text


def test_a_refused_sample_is_bad_whatever_else_was_measured() -> None:
    records = sample(n_spots_pass=500)
    records.steps["domains"] = StepRecord("s", "domains", status="bad_input")
    assert verdict(records, findings(records, [LEAST])).light == "bad"


def test_limits_for_bins_leave_spots_alone() -> None:
    records = sample(median_counts=50)
    records.steps["ingest"] = StepRecord("s", "ingest", metrics={"bin_size_um": 8})
    lights = {line.title: line.light for line in findings(records, RULES)}
    assert lights["Median UMI counts per bin"] == "good"
    assert "Median UMI counts per spot" not in lights


def test_a_facilitys_limits_replace_only_what_they_name(tmp_path: Path) -> None:
    (tmp_path / "limits.yml").write_text("least: {look: 50}\n")
    (rule,) = read_thresholds(tmp_path / "limits.yml", [LEAST])
    assert (rule.look, rule.bad) == (50, 10)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("leest: {look: 50}", "leest"),
        ("least: {lok: 50}", "lok"),
        ("least: {look: many}", "many"),
        ("least: 50", "least: 50"),
        ("[least]", "least"),
        ("least: {look", "no YAML"),
    ],
)
def test_a_line_that_is_no_limit_is_named(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "limits.yml").write_text(text)
    with pytest.raises(BadInputError) as caught:
        read_thresholds(tmp_path / "limits.yml", [LEAST])
    assert found in caught.value.problems[0].found
