"""The pipeline on Slurm, which is brought up on this machine (tests/slurm/slurm.sh)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest

from clearspot import keys
from tests.helpers.engine import REPO, Run, run_pipeline
from tests.helpers.task_scripts import run_script, wrapper

pytestmark = pytest.mark.long

SCRIPT = REPO / "tests/slurm/slurm.sh"
QUICK = ("-c", str(REPO / "tests/slurm/quick.config"))
FAULTS = REPO / "tests/slurm/faults.nf"


@dataclass(frozen=True)
class Runs:
    """What was run on one Slurm, at the same time."""

    pipeline: Run
    gpu_stubs: Run
    faults: Run
    impossible: Run
    limits: str


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a running Slurm, whose client tools find it."""
    missing = [tool for tool in ("slurmctld", "slurmd", "munged", "sbatch", "mknod") if shutil.which(tool) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"Slurm cannot be brought up: {f'no {missing[0]} here' if missing else 'it needs root'}")
    folder = tmp_path_factory.mktemp("slurm") / "slurm"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        try:
            subprocess.run([SCRIPT, "up", folder], check=True, timeout=120)
            yield folder
        finally:
            subprocess.run([SCRIPT, "down", folder], check=True, timeout=120)


@pytest.fixture(scope="module")
def runs(slurm: Path, phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The pipeline on one sample, its stubs with GPUs, and the faults: most of it is waiting."""
    folder = tmp_path_factory.mktemp("on_slurm")
    sheet = phantoms / "one.csv"
    sheet.write_text("".join((phantoms / "samplesheet.csv").read_text().splitlines(keepends=True)[:2]))
    sample = (*QUICK, "--input", str(sheet))
    short = ("--dusted_epochs", "10", "--moran_n_perms", "10", "--skip_spatialdata", "true")
    # not `test`: its limits would make the impossible request a possible one
    gpu = ("-profile", "slurm,gpu")
    with ThreadPoolExecutor() as pool:
        faults = pool.submit(run_script, folder / "faults", FAULTS, *QUICK, *gpu)
        pipeline = pool.submit(run_pipeline, folder / "pipeline", "-profile", "test,slurm", *sample, *short)
        impossible = pool.submit(run_script, folder / "impossible", FAULTS, *QUICK, *gpu, "--impossible", "true")
        stubs = pool.submit(run_pipeline, folder / "stubs", *gpu, "-stub-run", *sample, "--skip_superres", "false")
        limits = (slurm / "limits").read_text().strip()
        return Runs(pipeline.result(), stubs.result(), faults.result(), impossible.result(), limits)


@pytest.fixture(scope="module")
def node_lost(slurm: Path, runs: Runs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose only node is gone while its task is on it, and comes back once the task waits for another."""
    folder = tmp_path_factory.mktemp("node_lost")
    with ThreadPoolExecutor() as pool:
        run = pool.submit(run_script, folder, FAULTS, *QUICK, "-profile", "slurm", "--only_lasts", "true")
        _wait_for_job("RUNNING")
        subprocess.run([SCRIPT, "lose", slurm], check=True, timeout=120)
        _wait_for_job("PENDING")
        subprocess.run([SCRIPT, "find", slurm], check=True, timeout=120)
        return run.result()


def _wait_for_job(state: str) -> None:
    """Return once a job is in this state."""
    for _ in range(600):
        found = subprocess.run(["squeue", "--noheader", "--format=%T"], capture_output=True, text=True, check=True)
        if state in found.stdout.split():
            return
        time.sleep(0.2)
    pytest.fail(f"waited in vain for a job that is {state}, found {found.stdout!r}")


def requests(run: Run) -> pd.DataFrame:
    """Trace with what each task's `#SBATCH` lines ask for."""
    table = run.trace
    lines = [[line for line in wrapper(place).splitlines() if line.startswith("#SBATCH")] for place in table["workdir"]]
    for name, pattern in {
        "mem": r"--mem (\S+)",
        "limit": r"-t (\S+)",
        "cores": r"-c (\d+)",
        "gres": r"--gres=(\S+)",
    }.items():
        table[name] = ["".join(re.findall(pattern, "\n".join(each))) for each in lines]
    return table


def test_the_pipeline_finishes_with_a_slurm_job_a_task(runs: Runs) -> None:
    assert runs.pipeline.exit_code == 0, runs.pipeline.log
    trace = runs.pipeline.trace
    assert trace["native_id"].astype(int).is_unique
    assert set(trace["status"]) == {"COMPLETED"}
    adata = ad.read_h5ad(runs.pipeline.outdir / "phantom_1" / "phantom_1.h5ad", backed="r")
    assert keys.LATENT in adata.obsm


def test_memory_and_time_are_asked_of_slurm(runs: Runs) -> None:
    table = requests(runs.pipeline)
    asked = table["memory"].str.extract(r"([\d.]+) (MB|GB)")
    megabytes = asked[0].astype(float) * asked[1].map({"MB": 1, "GB": 1024})
    assert (table["mem"].str.removesuffix("M").astype(int) - megabytes).abs().max() < 60
    assert (table["limit"] == "01:00:00").all()
    assert (table["gres"] == "").all()


def test_tasks_with_the_gpu_label_ask_for_one(runs: Runs) -> None:
    assert runs.gpu_stubs.exit_code == 0, runs.gpu_stubs.log
    table = requests(runs.gpu_stubs)
    with_gpu = set(table.loc[table["gres"] == "gpu:1", "step"])
    assert with_gpu == {"DUSTED_DENOISE", "DIFFUSION_TRAIN", "DIFFUSION_SAMPLE"}
    assert (table["gres"].isin(["", "gpu:1"])).all()


def test_two_gpu_tasks_queue_for_one_device(runs: Runs) -> None:
    assert runs.faults.exit_code == 0, runs.faults.log
    spans = [path.read_text().split() for path in runs.faults.outdir.glob("gpu_*.txt")]
    assert len(spans) == 2
    first, second = sorted((int(begin), int(end)) for begin, end, _ in spans)
    assert first[1] <= second[0]
    assert {device for _, _, device in spans} == {"0"}


def test_a_task_killed_for_its_memory_is_tried_again_with_more(runs: Runs) -> None:
    attempts = requests(runs.faults).query("step == 'GROWS'").sort_values("attempt")
    killed = {"cgroup": 137, "sampled": 2147483647}[runs.limits]
    assert list(attempts["exit"].astype(int)) == [killed, 0]
    assert list(attempts["mem"]) == ["200M", "400M"]
    assert (runs.faults.outdir / "grown.txt").read_text() == "2\n"


def test_a_task_that_ran_out_of_time_is_tried_again_with_more(runs: Runs) -> None:
    attempts = requests(runs.faults).query("step == 'LASTS'").sort_values("attempt")
    assert list(attempts["exit"].astype(int)) == [140, 0]
    assert list(attempts["limit"]) == ["00:01:00", "00:02:00"]


def test_an_impossible_request_fails_at_once_with_slurms_own_word(runs: Runs) -> None:
    assert runs.impossible.exit_code != 0
    assert "Failed to submit process to grid scheduler" in runs.impossible.log
    assert "Memory specification can not be satisfied" in runs.impossible.log
    assert "Re-submitted" not in runs.impossible.log


def test_a_task_whose_node_vanished_is_tried_again(node_lost: Run) -> None:
    assert node_lost.exit_code == 0, node_lost.log
    attempts = node_lost.trace.sort_values("attempt")
    assert list(attempts["status"]) == ["FAILED", "COMPLETED"]
    assert "Re-submitted process > LASTS" in node_lost.log
    assert (node_lost.outdir / "lasted.txt").read_text() == "2\n"
