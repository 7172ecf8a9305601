"""Each step refuses a sample, or fails on it: what its page, the summary and the cohort report say."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from made_sample import Made, add_superres
from page_reader import Page

from clearspot import keys
from clearspot.contract.steps import RECORDED, STEPS, get_step
from clearspot.errors import Problem
from clearspot.record import StepRecord
from clearspot.report.cohort import write_multiqc_inputs
from clearspot.report.metrics import read_sample
from clearspot.report.sample import write_sample_report
from clearspot.report.superres_outcome import STEPS as SUPERRES_STEPS

PROBLEM = Problem("good", "image.tif", "a <blank> image", "an H&E stain", "give the stained image")
SAMPLE_STEPS = [step for step in STEPS if step.scope == "sample" and step.record is not None]
REQUIRED = [step.name for step in SAMPLE_STEPS if step.required]
OPTIONAL = [step.name for step in SAMPLE_STEPS if not step.required]
STATUSES = pytest.mark.parametrize(
    ("status", "verb", "in_summary"), [("bad_input", "refused", "refused"), ("failed", "failed on", "failed")]
)


def stop_at(made: Made, step: str, status: Any) -> None:
    """Leave the records that there are where a step refuses the sample or fails: those before it, and its own."""
    before = RECORDED[: RECORDED.index(step)]
    made.records = {name: record for name, record in made.records.items() if name in before}
    made.records[step] = StepRecord(made.sample, step, status=status, problems=[PROBLEM])


def page_of(made: Made, h5ad: Path | None) -> Page:
    out = made.folder / "page.html"
    write_sample_report(h5ad, made.write(), out)
    return Page(out.read_text(encoding="utf-8"))


def summary_of(made: Made) -> dict[str, str]:
    write_multiqc_inputs(made.write(), made.folder / "inputs")
    table = pd.read_csv(made.folder / "inputs" / keys.QC_SUMMARY_NAME, dtype=str, keep_default_na=False)
    assert len(table) == 1
    return table.iloc[0].to_dict()


def intro_of(made: Made) -> str:
    return str(yaml.safe_load((made.folder / "inputs" / "multiqc_intro.yml").read_text())["intro_text"])


def test_the_steps_that_a_sample_can_do_without_are_super_resolution_and_the_export() -> None:
    assert tuple(OPTIONAL) == (*SUPERRES_STEPS, "spatialdata")


@STATUSES
@pytest.mark.parametrize("step", REQUIRED)
def test_a_required_step_leaves_a_page_with_the_reason(
    made: Made, step: str, status: str, verb: str, in_summary: str
) -> None:
    stop_at(made, step, status)
    page = page_of(made, None)
    assert f"Not processed. The step {get_step(step).title} {verb} this sample. See the reason below." in page.text
    for words in (PROBLEM.file, PROBLEM.found, PROBLEM.expected, PROBLEM.mend):
        assert words in page.text
    assert page.data["charts"] == {}


@STATUSES
@pytest.mark.parametrize("step", REQUIRED)
def test_a_required_step_is_named_in_the_summary(
    made: Made, step: str, status: str, verb: str, in_summary: str
) -> None:
    stop_at(made, step, status)
    row = summary_of(made)
    assert (row["status"], row["failed_step"]) == (status, step)
    assert row["reason"] == "image.tif: a <blank> image (expected an H&E stain)"
    assert (row["superres_status"], row["superres_reason"]) == ("not run", "the sample was not processed")
    assert row["verdict"] == "bad"
    refused = json.loads((made.folder / "inputs" / "clearspot_refused_mqc.json").read_text())["data"]
    assert refused["good"]["step"] == get_step(step).title
    assert refused["good"]["found"] == "a &lt;blank&gt; image"
    assert intro_of(made) == f"1 sample, 1 {in_summary}: good."


@STATUSES
@pytest.mark.parametrize("step", OPTIONAL)
def test_an_optional_step_leaves_the_sample_its_page_with_all_other_results(
    made: Made, step: str, status: str, verb: str, in_summary: str
) -> None:
    charts = set(page_of(made, made.h5ad).data["charts"])
    stop_at(made, step, status)
    page = page_of(made, made.h5ad)
    assert set(page.data["charts"]) == charts
    assert "Not processed" not in page.text
    assert f"Look before you use it: {get_step(step).title}: {in_summary}." in page.text
    assert f"(expected {PROBLEM.expected}). To fix it: {PROBLEM.mend}." in page.text
    if step not in SUPERRES_STEPS:
        return
    said = f"the step {get_step(step).title} " + {"refused": "refused its input", "failed": "failed"}[in_summary]
    assert f"Super-resolution is missing: {said}. All other results of this sample are here." in page.text
    shown = page.text.split("Super-resolution is missing")[1]
    for words in (PROBLEM.file, PROBLEM.found, PROBLEM.expected, PROBLEM.mend):
        assert words in shown


@STATUSES
@pytest.mark.parametrize("step", OPTIONAL)
def test_an_optional_step_leaves_the_samples_status_as_it_is(
    made: Made, step: str, status: str, verb: str, in_summary: str
) -> None:
    stop_at(made, step, status)
    row = summary_of(made)
    assert (row["status"], row["failed_step"], row["reason"]) == ("ok", "", "")
    assert row["n_domains"] == "2"
    reason = "image.tif: a <blank> image (expected an H&E stain)"
    if step in SUPERRES_STEPS:
        reached = (row["superres_status"], row["superres_reason"])
        reason, what = f"{get_step(step).title}: {reason}", "super-resolution"
    else:
        reached, what = (row["spatialdata_status"], row["spatialdata_reason"]), "SpatialData export"
    assert reached == (in_summary, reason)
    assert row["verdict"] == "look"
    listed = json.loads((made.folder / "inputs" / "clearspot_left_out_mqc.json").read_text())["data"]
    assert listed["good"]["step"] == f"{get_step(step).title}: {in_summary}"
    assert not (made.folder / "inputs" / "clearspot_refused_mqc.json").exists()
    assert intro_of(made) == f"1 sample, none refused. Without {what}, for a reason given below: good."


@STATUSES
@pytest.mark.parametrize("step", OPTIONAL)
def test_metrics_json_has_the_optional_steps_problem(
    made: Made, step: str, status: str, verb: str, in_summary: str
) -> None:
    stop_at(made, step, status)
    page_of(made, made.h5ad)
    metrics = json.loads((made.folder / keys.METRICS_NAME).read_text())
    assert (metrics["status"], metrics["failed_step"]) == ("ok", None)
    assert metrics["steps"][step]["status"] == status
    assert metrics["steps"][step]["problems"] == [PROBLEM.as_dict()]


def test_a_refused_reference_is_shown_like_a_refused_sample(tmp_path: Path) -> None:
    path = tmp_path / keys.record_name("xenium", "reference")
    StepRecord.bad_input("xenium", "reference", [PROBLEM]).write(path)
    records = read_sample([path])
    assert (records.status, records.failed_step, records.lost) == ("bad_input", "reference", {})
    write_sample_report(None, [path], tmp_path / "page.html")
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert "Not processed. The step Reference refused this sample." in page.text
    assert "a <blank> image" in page.text


def test_a_page_without_data_and_without_a_reason_is_an_error(made: Made) -> None:
    with pytest.raises(ValueError, match="no record says which step refused it"):
        write_sample_report(None, made.write(), made.folder / "page.html")
    assert not (made.folder / "page.html").exists()


@pytest.mark.parametrize(
    ("spoil", "status", "reason"),
    [
        ("nothing", "not run", "the run leaves it out (--skip_superres)"),
        ("no image", "not run", "no full-resolution image"),
        (
            "bins",
            "not run",
            "a Visium HD sample is finer than what super-resolution predicts",
        ),
        ("half", "not run", "the run ended after the step Image features"),
        ("done", "ok", ""),
    ],
)
def test_the_summary_and_the_page_give_the_same_reason(made: Made, spoil: str, status: str, reason: str) -> None:
    if spoil == "no image":
        made.records["check"] = StepRecord("good", "check", metrics={"superres_reason": "no full-resolution image"})
    elif spoil == "bins":
        made.records["ingest"].metrics["bin_size_um"] = 8
    elif spoil == "half":
        made.records["histology"] = StepRecord("good", "histology")
    elif spoil == "done":
        add_superres(made)
    row = summary_of(made)
    assert (row["superres_status"], row["superres_reason"]) == (status, reason)
    if status != "ok":
        assert f"Reason: {reason}." in page_of(made, made.h5ad).text
