"""What the steps of real runs recorded, super-resolution included, against the declaration: both ways."""

import json
from typing import Any

import pytest

from clearspot import keys
from clearspot.contract.metrics import check_metrics, metrics_of
from clearspot.contract.steps import STEPS
from tests.helpers.engine import Run

pytestmark = pytest.mark.long

RUNS = pytest.mark.parametrize("run_name", ["first_run", "edited_run"])
SAMPLES = ("phantom_1", "phantom_2")
OF_A_SAMPLE = [step for step in STEPS if step.scope == "sample" and step.record is not None]


def steps_of(run: Run, sample: str) -> dict[str, dict[str, Any]]:
    """Content of a sample's records, by step."""
    steps: dict[str, dict[str, Any]] = json.loads((run.outdir / sample / keys.METRICS_NAME).read_text())["steps"]
    return steps


@RUNS
def test_the_reports_have_the_records_of_all_steps_that_ran(run_name: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(run_name)
    everything = {step.name for step in OF_A_SAMPLE}
    # without an image, or without super-resolution
    without = {step.name for step in OF_A_SAMPLE if step.required} | {"spatialdata"}
    expected = {"phantom_1": everything if run_name == "edited_run" else without, "phantom_2": without}
    assert {sample: set(steps_of(run, sample)) for sample in SAMPLES} == expected


@RUNS
def test_every_metric_of_a_run_is_declared(run_name: str, request: pytest.FixtureRequest) -> None:
    for sample in SAMPLES:
        for step, record in steps_of(request.getfixturevalue(run_name), sample).items():
            check_metrics(step, record["metrics"])


@RUNS
def test_every_metric_without_a_condition_is_in_the_records(run_name: str, request: pytest.FixtureRequest) -> None:
    missing = [
        (sample, step, metric.name)
        for sample in SAMPLES
        for step, record in steps_of(request.getfixturevalue(run_name), sample).items()
        for metric in metrics_of(step)
        if not metric.when and record["metrics"].get(metric.name) is None
    ]
    assert missing == []
