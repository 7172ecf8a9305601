"""What a second run repeats, and what it does not."""

from pathlib import Path

import h5py
import pytest

from tests.helpers.engine import Run, run_again, run_pipeline

pytestmark = pytest.mark.long

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


def test_unchanged_run_repeats_no_work_on_samples(first_run: Run, phantoms: Path, tmp_path: Path) -> None:
    run = run_again(first_run, phantoms, tmp_path)
    assert run.exit_code == 0, run.log
    assert {step for step, _ in run.steps("CACHED")} >= STEPS_OF_A_SAMPLE
    # the validated parameters hold the results' folder, which is another one here
    assert {step for step, _ in run.steps("COMPLETED")} <= {"SAMPLESHEET_CHECK"}


def test_edited_parameter_repeats_what_follows_it(edited_run: Run) -> None:
    assert edited_run.exit_code == 0, edited_run.log
    repeated = {step for step, _ in edited_run.steps("COMPLETED")}
    followers = {"SPATIAL_DOMAINS", "SAMPLE_REPORT", "SPATIALDATA_EXPORT", "COHORT_REPORT"}
    added = {"HISTOLOGY_EMBED", "DIFFUSION_TRAIN", "DIFFUSION_SAMPLE"}
    assert repeated == followers | added | {"SAMPLESHEET_CHECK"}


def test_edited_input_repeats_that_sample_only(own_phantoms: Path, tmp_path: Path) -> None:
    launch_dir = tmp_path / "launch"
    arguments = ("-profile", "test", "--input", str(own_phantoms / "samplesheet.csv"), "--validate_only")
    assert run_pipeline(launch_dir, *arguments).exit_code == 0
    with h5py.File(own_phantoms / "phantom_2" / "outs" / "filtered_feature_bc_matrix.h5", "r+") as file:
        file["matrix/data"][0] += 1
    run = run_pipeline(launch_dir, *arguments, "-resume")
    assert run.steps("CACHED") >= {("SPACERANGER_CHECK", "phantom_1")}
    assert run.steps("COMPLETED") == {("SPACERANGER_CHECK", "phantom_2")}
