"""Whatever a step says of a sample, the sample is in the reports, and the summary says what became of it.

Stub runs: a stand-in for `stub_record.py` refuses the sample `refused_<step>` at that step, and dies at `died_<step>`.
A step that runs once for all samples goes by the name of the reference that it is given.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from clearspot.contract.steps import STEPS, Step
from tests.helpers.engine import REPO, Run, run_pipeline

OF_A_SAMPLE = [step for step in STEPS if step.scope == "sample" and step.record]
REQUIRED = [step for step in OF_A_SAMPLE if step.required]
OPTIONAL = [step for step in OF_A_SAMPLE if not step.required]
LATE = [step for step in REQUIRED if step.name in ("graph", "dusted", "domains")]

STUB = f"""#!{sys.executable}
import json, shutil, subprocess, sys
from pathlib import Path

subprocess.run(["{REPO}/bin/stub_record.py", *sys.argv[1:]], check=True)
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
step, folder = given["--step"], Path(given.get("--outdir", "."))
sample = given.get("--sample") or min(Path("references").iterdir()).name.split(".")[0]
if sample == "died_" + step:
    sys.exit(139)
if sample == "refused_" + step:
    steps = json.loads(Path("{REPO}/src/clearspot/contract/steps.json").read_text())
    (entry,) = (entry for entry in steps if entry["name"] == step)
    for pattern in entry["outputs"]:
        for path in folder.glob(pattern.format(sample=sample)):
            path.unlink()
    place = folder / entry["record"].format(sample=sample)
    problem = dict(sample=sample, file="input", found="a reason", expected="another input", mend="give another")
    place.write_text(json.dumps(json.loads(place.read_text()) | dict(status="bad_input", problems=[problem])))
"""


def run_with_refusals(folder: Path, samples: list[str], *arguments: str) -> Run:
    """A stub run over samples of these names, all with an image; `reference` or `pretrain` marks a reference."""
    tools = folder / "tools"
    tools.mkdir()
    (tools / "stub_record.py").write_text(STUB)
    (tools / "stub_record.py").chmod(0o755)
    (folder / "image.tif").write_text("an image")
    roles = ["reference" if "reference" in name or "pretrain" in name else "query" for name in samples]
    rows = [f"{name},{name}/outs,image.tif,{role}" for name, role in zip(samples, roles, strict=True)]
    sheet = folder / "samplesheet.csv"
    sheet.write_text("\n".join(["sample,spaceranger_dir,image,role", *rows]) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tools), prepend=":")
        return run_pipeline(
            folder, "-profile", "test", "-stub-run", "--input", str(sheet), "--skip_superres", "false", *arguments
        )


@pytest.fixture(scope="module")
def skip(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every step refuses one sample, every optional step dies on another, and one sample has no such luck."""
    samples = [f"refused_{step.name}" for step in OF_A_SAMPLE] + [f"died_{step.name}" for step in OPTIONAL]
    folder = tmp_path_factory.mktemp("skip")
    return run_with_refusals(folder, [*samples, "refused_reference", "good"], "--on_bad_sample", "skip")


def records_of_page(run: Run, sample: str) -> dict[str, str]:
    """Step and status of each record that the page of a sample was made from."""
    ((workdir),) = run.trace.query("step == 'SAMPLE_REPORT' and tag == @sample")["workdir"]
    records = [json.loads(path.read_text()) for path in (Path(workdir) / "records").iterdir()]
    return {record["step"]: record["status"] for record in records}


def has(run: Run, sample: str, suffix: str) -> bool:
    return (run.outdir / sample / f"{sample}{suffix}").exists()


@pytest.mark.parametrize("step", REQUIRED, ids=lambda step: step.name)
def test_refusal_of_a_required_step_takes_the_sample_out_with_its_reason(skip: Run, step: Step) -> None:
    sample = f"refused_{step.name}"
    assert f"Sample {sample} is refused ({step.name})" in skip.log
    assert re.search(rf"{sample} +REFUSED +{step.name}: input: a reason", skip.log)
    statuses = records_of_page(skip, sample)
    assert statuses.pop(step.name) == "bad_input"
    assert set(statuses) == {earlier.name for earlier in REQUIRED[: REQUIRED.index(step)]}
    assert has(skip, sample, "_report.html")
    assert not has(skip, sample, ".zarr.zip")


@pytest.mark.parametrize("step", OPTIONAL, ids=lambda step: step.name)
@pytest.mark.parametrize(("verdict", "status"), [("refused", "bad_input"), ("died", "failed")])
def test_an_optional_step_costs_a_sample_only_what_it_makes(skip: Run, step: Step, verdict: str, status: str) -> None:
    sample = f"{verdict}_{step.name}"
    what = "SpatialData export" if step.name == "spatialdata" else "super-resolution"
    assert f"without {what} {sample} ({step.name}): " in skip.log
    statuses = records_of_page(skip, sample)
    assert statuses.pop(step.name) == status
    assert set(statuses.values()) == {"ok"}
    assert {required.name for required in REQUIRED} <= set(statuses)
    assert has(skip, sample, ".h5ad")
    assert has(skip, sample, "_report.html")
    assert has(skip, sample, ".zarr.zip") == (step.name != "spatialdata")
    assert has(skip, sample, ".superres.h5ad") == (step.name == "spatialdata")


def test_the_summary_counts_and_the_cohort_report_has_everyone(skip: Run) -> None:
    n_done = 2 * len(OPTIONAL) + 1
    n_refused = len(REQUIRED) + 1
    assert f"{n_done} done, {n_refused} refused" in skip.log
    (workdir,) = skip.trace.query("step == 'COHORT_REPORT'")["workdir"]
    records = [json.loads(path.read_text()) for path in (Path(workdir) / "records").iterdir()]
    assert len({record["sample"] for record in records}) == n_done + n_refused
    assert {record["status"] for record in records if record["sample"] == "good"} == {"ok"}
    assert {record["step"] for record in records if record["sample"] == "good"} == {step.name for step in OF_A_SAMPLE}


def test_a_task_that_died_ends_the_run_with_an_error_after_all_else_is_done(skip: Run) -> None:
    assert skip.exit_code != 0
    assert "The run failed: a task failed" in skip.log
    # native code that crashed would crash again
    assert set(skip.trace.query("tag.str.startswith('died_')", engine="python")["attempt"]) == {1}


def test_a_late_refusal_ends_the_run_with_an_error_after_all_else_is_done(tmp_path: Path) -> None:
    samples = [f"refused_{step.name}" for step in LATE]
    run = run_with_refusals(tmp_path, [*samples, "refused_histology"], "--skip_spatialdata")
    assert run.exit_code != 0
    assert f"1 done, {len(LATE)} refused" in run.log
    assert "The run failed: a sample was refused, and --on_bad_sample is fail" in run.log
    assert all(re.search(rf"{sample} +REFUSED", run.log) for sample in samples)
    assert all(has(run, sample, "_report.html") for sample in [*samples, "refused_histology"])
    assert (run.outdir / "qc_summary.csv").is_file()


def test_refusals_of_ingest_and_qc_are_named_together_before_costly_work(tmp_path: Path) -> None:
    run = run_with_refusals(tmp_path, ["refused_ingest", "refused_qc"])
    assert run.exit_code != 0
    assert "2 sample(s) refused at 'ingest', 'qc': refused_ingest, refused_qc" in run.log
    assert "SPATIAL_GRAPH" not in set(run.trace["step"])


def test_refusals_alone_are_a_success_where_bad_samples_are_skipped(tmp_path: Path) -> None:
    run = run_with_refusals(tmp_path, ["refused_dusted", "refused_histology"], "--on_bad_sample", "skip")
    assert run.exit_code == 0, run.log
    assert "1 done, 1 refused" in run.log


def test_an_optional_step_that_no_sample_came_through_ends_no_other(tmp_path: Path) -> None:
    run = run_with_refusals(tmp_path, ["died_superres"])
    assert "without super-resolution died_superres (superres): " in run.log
    assert "1 done" in run.log
    assert {"SPATIALDATA_EXPORT", "SAMPLE_REPORT", "COHORT_REPORT"} <= set(run.trace["step"])
    assert run.exit_code != 0


@pytest.mark.parametrize(
    ("verdict", "status", "reason"),
    [
        ("refused", "bad_input", "input: a reason"),
        ("died", "failed", "task: the task DIFFUSION_PRETRAIN failed and was not retried"),
    ],
)
def test_references_that_nothing_is_learned_from_cost_a_sample_nothing_else(
    tmp_path: Path, verdict: str, status: str, reason: str
) -> None:
    run = run_with_refusals(tmp_path, ["one", "two", f"{verdict}_superres_pretrain"], "--skip_spatialdata")
    assert (run.exit_code == 0) == (verdict == "refused"), run.log
    assert run.log.count("The run continues without Super-resolution: training on references") == 1
    assert run.log.count(f"without training on references (superres_pretrain): {reason}") == 1
    assert ("The run failed: a task failed" in run.log) == (verdict == "died")
    assert "2 done" in run.log
    for sample in ("one", "two"):
        ((workdir),) = run.trace.query("step == 'DIFFUSION_TRAIN' and tag == @sample")["workdir"]
        assert not (Path(workdir) / "start").exists()
        assert "superres_pretrain" not in records_of_page(run, sample)
        assert has(run, sample, ".superres.h5ad")
    (workdir,) = run.trace.query("step == 'COHORT_REPORT'")["workdir"]
    record = json.loads((Path(workdir) / "records" / "cohort.superres_pretrain.json").read_text())
    assert (record["sample"], record["step"], record["status"]) == ("cohort", "superres_pretrain", status)
    assert not (run.outdir / "references").exists()
