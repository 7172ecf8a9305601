from pathlib import Path

import pytest

from clearspot.errors import BadInputError
from clearspot.record import StepRecord
from clearspot.report.metrics import SampleRecords
from clearspot.report.rule import Rule, read_thresholds
from clearspot.report.rules import RULES
from clearspot.report.verdict import findings, verdict

LEAST = Rule("least", "qc", "n_spots_pass", 100, 10, "{value} {places} kept", "Advice.", "a test")
MOST = Rule("most", "qc", "median_percent_mt", 20, None, "median {value} mitochondrial", "", "a test")
CHANCE = Rule(
    "chance", "qc", "median_percent_hb", 5, 20, "{value} haemoglobin", "", "a test",
    guard="edge_to_interior_counts", guard_limit=0.01,
)  # fmt: skip


def sample(**metrics: object) -> SampleRecords:
    return SampleRecords("s", {"qc": StepRecord("s", "qc", metrics=metrics)})


@pytest.mark.parametrize(("value", "light"), [(100, "good"), (99, "look"), (10, "look"), (9, "bad"), (None, "unknown")])
def test_a_limit_is_still_good(value: object, light: str) -> None:
    assert LEAST.light(value) == light


def test_above_turns_the_comparison_round() -> None:
    assert [MOST.light(value) for value in (20, 21)] == ["good", "look"]


def test_a_metric_without_a_better_direction_has_no_limit() -> None:
    with pytest.raises(ValueError, match="does not declare which direction is better"):
        Rule("any", "qc", "n_hvgs", 1, None, "", "", "").light(0)


def test_the_worst_light_is_the_verdict_and_names_the_problem_with_its_figures() -> None:
    records = sample(n_spots_pass=5, median_percent_mt=31.4)
    judged = verdict(records, findings(records, [LEAST, MOST]))
    assert (judged.light, judged.title, judged.text) == ("bad", "Do not use:", "5 spots kept (limit 10).")


def test_a_sentence_as_a_facility_reads_it() -> None:
    records = sample(percent_spots_pass=22.9, median_counts=12.0, median_genes=80.0)
    judged = verdict(records, findings(records, RULES))
    said = "only 23 % of spots pass quality control (limit 30 %), median of 12 UMI counts per spot (limit 100)."
    assert (judged.title, judged.text) == ("Do not use:", said)


def test_a_figure_beside_its_limit_is_told_apart_from_it() -> None:
    records = sample(percent_spots_pass=29.96)
    assert "29.96 % of spots pass quality control (limit 30 %)" in verdict(records, findings(records, RULES)).text


def test_a_figure_that_chance_explains_gets_no_green_light_where_the_question_is_open() -> None:
    """A shift of 600 µm that is not significant: neither a fault, nor a check that passed."""
    records = sample(picture_shift_um=600.0, picture_shift_p=0.025)
    lines = findings(records, [rule for rule in RULES if rule.id == "picture_shift"])
    assert [(line.light, line.value) for line in lines] == [("info", "600 µm")]
    assert "p = 0.025" in lines[0].text
    assert verdict(records, lines).light == "unknown"


def test_a_saturated_library_may_be_shallow_and_the_page_says_why() -> None:
    stated = {"metric": ["Mean Reads per Spot", "Sequencing Saturation"], "value": [9_000.0, 0.8]}
    records = SampleRecords("s", {"ingest": StepRecord("s", "ingest", tables={"space_ranger": stated})})
    (rule,) = (rule for rule in RULES if rule.id == "mean_reads_spot")
    (line,) = findings(records, [rule])
    assert (line.light, "saturation is 80 %" in line.text) == ("good", True)


def test_a_figure_that_chance_explains_is_good() -> None:
    lights = [CHANCE.judge(sample(median_percent_hb=30.0, edge_to_interior_counts=p)) for p in (0.001, 0.2, None)]
    assert lights == ["bad", "good", "good"]


def test_no_spatial_structure_is_red_and_says_so_once() -> None:
    records = sample(percent_spots_pass=99.0, median_counts=5000.0, median_genes=2000.0)
    measured = {
        "has_spatial_structure": False, "percent_genes_spatial": 0.8, "n_genes_structure_tested": 500,
        "morans_i_median": 0.001, "morans_i_shuffled": 0.002, "median_degree": 6.0,
    }  # fmt: skip
    records.steps["graph"] = StepRecord("s", "graph", metrics=measured)
    judged = verdict(records, findings(records, RULES))
    assert (judged.light, judged.text) == (
        "bad",
        "no spatial structure: only 0.8 % of 500 genes are spatially variable (median Moran's I 0.001; 0.002 with the "
        "spots shuffled).",
    )


def test_genes_of_a_panel_are_held_against_the_panel() -> None:
    figures = {"percent_spots_pass": 99.0, "median_counts": 2500.0, "median_genes": 200.0}
    panel = findings(sample(is_panel=True, percent_genes_seen=40.0, **figures), RULES)
    whole = findings(sample(is_panel=False, percent_genes_seen=1.0, **figures), RULES)
    assert {line.light for line in panel} == {"good"}
    assert [line.reason for line in whole if line.light != "good"] == ["median of 200 genes per spot (limit 500)"]


def test_a_rules_sentence_takes_the_place_of_the_steps_warning() -> None:
    records = sample(percent_spots_pass=60.0)
    records.steps["qc"].note("warning", "Quality control removes 40 % of the spots. Check the filters.")
    judged = verdict(records, findings(records, RULES))
    assert judged.text == "only 60 % of spots pass quality control (limit 70 %)."


def test_a_fault_seen_in_two_figures_is_told_once() -> None:
    records = sample(bleed_share=0.6, bleed_spread_um=300.0, percent_counts_outside_tissue=70.0)
    said = "60 % of the counts diffused out of the tissue with a 1/e distance of 300 µm (limit 30 %)."
    assert verdict(records, findings(records, RULES)).text == said


def test_a_sentence_may_name_the_first_row_of_a_table() -> None:
    rule = Rule("r", "qc", "percent_spots_pass", 70, 30, "{value} kept {regions.place} ({regions.area})", "", "a test")
    records = sample(percent_spots_pass=10.0)
    records.steps["qc"].tables["regions"] = {"place": ["at the top", "left"]}
    assert rule.reason(records, "bad") == "10 % kept at the top (not measured) (limit 30 %)"


@pytest.mark.parametrize(
    ("n_hvgs", "words"), [(12, "20 % kept, 12 of them variable (limit 30 %)"), (None, "20 % kept (limit 30 %)")]
)
def test_a_part_whose_figure_was_not_measured_is_left_out(n_hvgs: int | None, words: str) -> None:
    rule = Rule("r", "qc", "percent_spots_pass", 70, 30, "{value} kept[, {n_hvgs} of them variable]", "", "a test")
    records = sample(percent_spots_pass=20.0, n_hvgs=n_hvgs)
    assert rule.reason(records, "bad") == words


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_limit_has_a_direction_a_source_and_a_sentence(rule: Rule) -> None:
    limits = [limit for limit in (rule.bad, rule.look) if limit is not None]
    assert limits == sorted(limits, reverse=rule.worse == "above")
    assert rule.source
    figures: dict[str, object] = {rule.metric: False if rule.kind == "flag" else -1.0 if rule.worse == "below" else 1e9}
    step = "qc" if rule.step == "space_ranger" else rule.step
    records = SampleRecords("s", {step: StepRecord("s", step, metrics=figures)})
    said = rule.reason(records, "look" if rule.bad is None else "bad")
    assert "{" not in said
    assert not said.endswith(".")


def test_names_of_rules_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


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
    lights = {rule.id: rule.judge(records) for rule in RULES if rule.applies(records)}
    assert lights["median_counts_bin"] == "good"
    assert "median_counts_spot" not in lights


def test_a_facilitys_limits_replace_only_what_they_name(tmp_path: Path) -> None:
    (tmp_path / "limits.yml").write_text("least: {look: 50}\n")
    (rule,) = read_thresholds(tmp_path / "limits.yml", [LEAST])
    assert (rule.look, rule.bad) == (50, 10)


def test_a_facility_sets_the_guard_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "limits.yml").write_text("chance: {guard_limit: 0.5}\n")
    (rule,) = read_thresholds(tmp_path / "limits.yml", [CHANCE])
    assert rule.judge(sample(median_percent_hb=30.0, edge_to_interior_counts=0.2)) == "bad"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("leest: {look: 50}", "leest"),
        ("least: {lok: 50}", "lok"),
        ("least: {look: many}", "many"),
        ("least: {guard_limit: 0.05}", "guard_limit"),
        ("least: 50", "least: 50"),
        ("[least]", "least"),
        ("least: {look", "not valid YAML"),
    ],
)
def test_a_line_that_is_no_limit_is_named(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "limits.yml").write_text(text)
    with pytest.raises(BadInputError) as caught:
        read_thresholds(tmp_path / "limits.yml", [LEAST])
    assert found in caught.value.problems[0].found
