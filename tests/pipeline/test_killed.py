"""Runs that are killed on the way, and what `-resume` makes of them."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from clearspot import keys
from clearspot.diffst.training.checkpoint import load_checkpoint as load_diffst
from clearspot.dusted.checkpoint import load_checkpoint
from tests.helpers.engine import Run, Started, branch_off, run_pipeline
from tests.helpers.same_results import assert_same_section, assert_same_tables

pytestmark = pytest.mark.long

SAMPLES = ("phantom_1", "phantom_2")


@dataclass(frozen=True)
class Survived:
    """A run that was killed, resumed, and lost a task meanwhile."""

    run: Run
    beside: Run
    epochs: dict[str, int]


@pytest.fixture(scope="module")
def survived(first_run: Run, phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Survived:
    """The first run again, with checkpoints in a folder that outlives a task.

    Nextflow and its tasks are killed while both samples are trained. Then it is resumed; a second run is started in
    the same launch folder, and the training of one sample is killed.
    """
    launch_dir = tmp_path_factory.mktemp("killed") / "launch"
    checkpoints = launch_dir / "checkpoints"
    options = launch_dir.parent / "checkpoints.config"
    shown = f"--preset default --epochs 60 --seed 0 --checkpoint-every 5 --checkpoint-dir {checkpoints}"
    options.write_text(f"process {{ withName: DUSTED_DENOISE {{ ext.args = '{shown}' }} }}\n")
    resume = branch_off(first_run, launch_dir)
    sheet = ("--input", str(phantoms / "samplesheet.csv"))
    arguments = ("-c", str(options), *resume, "-profile", "test", *sheet, "--skip_spatialdata", "--skip_multiqc")

    started = Started(launch_dir, *arguments)
    started.wait_for(lambda: any(checkpoints.glob("phantom_1.*.dusted.pt")))
    started.kill()
    kept = {path.name.split(".")[0]: path for path in checkpoints.glob("*.dusted.pt")}
    epochs = {sample: _epochs(path) for sample, path in kept.items()}

    started = Started(launch_dir, *arguments)
    started.wait_for(lambda: all(_training(started, sample) for sample in SAMPLES))
    (waiting,), (killed,) = (_training(started, sample) for sample in SAMPLES)
    os.kill(killed, signal.SIGKILL)
    # the first run cannot end while one of its tasks is held
    os.kill(waiting, signal.SIGSTOP)
    beside = run_pipeline(launch_dir, *arguments, outdir=launch_dir.parent / "beside")
    os.kill(waiting, signal.SIGCONT)
    return Survived(started.finish(), beside, epochs)


def _epochs(checkpoint: Path) -> int:
    """How far the training of a checkpoint is."""
    return int(load_checkpoint(checkpoint)["state"]["epoch"])


def _training(started: Started, sample: str) -> list[int]:
    """The process that trains a sample, if it runs."""
    return started.processes("--sample", sample, "--attempt")


def test_finished_work_is_not_repeated(survived: Survived) -> None:
    assert survived.run.exit_code == 0, survived.run.log
    steps = ("SPACERANGER_CHECK", "SPACERANGER_INGEST", "SPOT_QC", "SPATIAL_GRAPH")
    assert survived.run.steps("CACHED") >= {(step, sample) for step in steps for sample in SAMPLES}


def test_training_goes_on_from_its_checkpoint(survived: Survived) -> None:
    assert "phantom_1" in survived.epochs
    for sample, epoch in survived.epochs.items():
        assert 0 < epoch < 60
        metrics = (survived.run.outdir / sample / "metrics.json").read_text()
        assert f"Resumed after epoch {epoch} of an earlier attempt." in metrics


def test_killed_task_is_tried_again(survived: Survived) -> None:
    trace = survived.run.trace
    tries = trace[(trace["step"] == "DUSTED_DENOISE") & (trace["tag"] == "phantom_2")].sort_values("attempt")
    assert list(tries["status"]) == ["FAILED", "COMPLETED"]
    assert list(tries["exit"].astype(int)) == [137, 0]


def test_result_is_that_of_a_run_that_nobody_killed(survived: Survived, first_run: Run) -> None:
    ours, theirs = (run.outdir / "phantom_1" for run in (survived.run, first_run))
    assert_same_section(ours / "phantom_1.h5ad", theirs / "phantom_1.h5ad")
    assert_same_tables(ours, theirs)


def test_second_attempt_with_smaller_tiles_denoises_alike(survived: Survived, first_run: Run) -> None:
    ours, theirs = (ad.read_h5ad(run.outdir / "phantom_2" / "phantom_2.h5ad") for run in (survived.run, first_run))
    np.testing.assert_allclose(ours.layers[keys.DENOISED], theirs.layers[keys.DENOISED], rtol=1e-3, equal_nan=True)


def test_second_run_in_the_same_launch_folder_is_refused(survived: Survived) -> None:
    assert survived.beside.exit_code != 0
    assert "Unable to acquire lock on session" in survived.beside.log
    assert not survived.beside.outdir.exists()


def test_nextflow_killed_in_mid_diffusion(edited_run: Run, phantoms: Path, tmp_path: Path) -> None:
    """What stood before the diffusion model is kept, and its training goes on from its checkpoint to the same end."""
    launch_dir, checkpoints = tmp_path / "launch", tmp_path / "checkpoints"
    resume = branch_off(edited_run, launch_dir)
    sheet = ("--input", str(phantoms / "samplesheet.csv"))
    edited = (
        "--n_domains",
        "3",
        "--skip_superres",
        "false",
        "--diffst_preset",
        "test",
        "--skip_spatialdata",
        "--skip_multiqc",
    )
    options = tmp_path / "checkpoints.config"
    shown = f"--input counts --seed 0 --checkpoint-minutes 0 --checkpoint-dir {checkpoints}"
    options.write_text(f"process {{ withName: DIFFUSION_TRAIN {{ ext.args = '{shown}' }} }}\n")
    arguments = ("-c", str(options), *resume, "-profile", "test", *sheet, *edited)

    started = Started(launch_dir, *arguments)
    started.wait_for(lambda: any(checkpoints.glob("phantom_1.*.diffst.pt")))
    started.kill()
    (kept,) = checkpoints.glob("phantom_1.*.diffst.pt")
    phases = load_diffst(kept)["phases"]
    run = run_pipeline(launch_dir, *arguments)

    assert run.exit_code == 0, run.log
    assert run.steps("CACHED") >= {("DUSTED_DENOISE", sample) for sample in SAMPLES}
    assert run.steps("CACHED") >= {("HISTOLOGY_EMBED", "phantom_1")}
    done = sum(phase["step"] for phase in phases.values())
    metrics = (run.outdir / "phantom_1" / "metrics.json").read_text()
    assert f"Resumed after step {done} of an earlier attempt." in metrics
    names = [r.outdir / "phantom_1" / "phantom_1.superres.h5ad" for r in (run, edited_run)]
    ours, theirs = (ad.read_h5ad(name) for name in names)
    for layer in (keys.SUPERRES_MEAN, keys.SUPERRES_SD):
        np.testing.assert_array_equal(np.asarray(ours.layers[layer]), np.asarray(theirs.layers[layer]))
