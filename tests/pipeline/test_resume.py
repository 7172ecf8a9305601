"""What a second run repeats, and what it does not."""

from pathlib import Path

import h5py

from .engine import Run, run_pipeline

STEPS_OF_A_SAMPLE = {
    "SPACERANGER_CHECK",
    "SPACERANGER_INGEST",
    "SPOT_QC",
    "SPATIAL_GRAPH",
    "DUSTED_DENOISE",
    "SPATIAL_DOMAINS",
    "SAMPLE_REPORT",
    "SPATIALDATA_EXPORT",
}


def _again(first_run: Run, phantoms: Path, tmp_path: Path, *arguments: str) -> Run:
    """Resume the first run into results of this test's own."""
    return run_pipeline(
        first_run.launch_dir,
        "-profile",
        "test",
        "--input",
        str(phantoms / "samplesheet.csv"),
        "-resume",
        *arguments,
        outdir=tmp_path / "results",
    )


def test_unchanged_run_repeats_no_work_on_samples(first_run: Run, phantoms: Path, tmp_path: Path) -> None:
    run = _again(first_run, phantoms, tmp_path)
    assert run.exit_code == 0, run.log
    assert {step for step, _ in run.steps("CACHED")} >= STEPS_OF_A_SAMPLE
    # the validated parameters hold the results' folder, which is another one here
    assert {step for step, _ in run.steps("COMPLETED")} <= {"SAMPLESHEET_CHECK"}


def test_edited_parameter_repeats_what_follows_it(first_run: Run, phantoms: Path, tmp_path: Path) -> None:
    run = _again(first_run, phantoms, tmp_path, "--n_domains", "3")
    assert run.exit_code == 0, run.log
    repeated = {step for step, _ in run.steps("COMPLETED")}
    followers = {"SPATIAL_DOMAINS", "SAMPLE_REPORT", "SPATIALDATA_EXPORT", "COHORT_REPORT"}
    assert repeated == followers | {"SAMPLESHEET_CHECK"}


def test_edited_input_repeats_that_sample_only(own_phantoms: Path, tmp_path: Path) -> None:
    launch_dir = tmp_path / "launch"
    arguments = ("-profile", "test", "--input", str(own_phantoms / "samplesheet.csv"), "--validate_only")
    assert run_pipeline(launch_dir, *arguments).exit_code == 0
    with h5py.File(own_phantoms / "phantom_2" / "outs" / "filtered_feature_bc_matrix.h5", "r+") as file:
        file["matrix/data"][0] += 1
    run = run_pipeline(launch_dir, *arguments, "-resume")
    assert run.steps("CACHED") >= {("SPACERANGER_CHECK", "phantom_1")}
    assert run.steps("COMPLETED") == {("SPACERANGER_CHECK", "phantom_2")}
