"""The benchmark for a GPU, run dry: all that a CPU can measure is measured, and written as JSON and as a table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


def run(repo: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repo / "benchmarks" / "gpu" / "run.py"), "--dry-run", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def dry_run(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpu")
    done = run(repo, "--minutes", "15", "--out", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_dry_run_measures_all_that_needs_no_gpu(dry_run: Path) -> None:
    measurements = json.loads((dry_run / "results.json").read_text())["measurements"]
    assert list(measurements) == [
        "dusted_speed", "two_processes", "equality", "out_of_memory", "diffst", "dusted_large",
    ]  # fmt: skip
    speed = measurements["dusted_speed"]
    assert {name for name, value in speed.items() if name.startswith("epochs_a_second") and value > 0} == {
        "epochs_a_second_plain", "epochs_a_second_fp32", "epochs_a_second_bf16",
    }  # fmt: skip
    assert len(measurements["two_processes"]["epochs_a_second_each"]) == 2
    assert measurements["equality"]["denoised_median"] == 0  # of the CPU with itself
    assert measurements["out_of_memory"] == {"left_out": "needs a GPU"}
    assert measurements["diffst"]["steps_a_second_mean"] > 0
    assert measurements["dusted_large"]["tiles"] > 1


def test_the_table_says_what_it_is(dry_run: Path) -> None:
    table = (dry_run / "results.md").read_text()
    assert "sizes: tiny, a dry run." in table
    assert "| equality | loss_first | 0 (within 1e-05) |" in table


def test_a_dry_run_never_takes_the_place_of_the_figures(repo: Path) -> None:
    done = run(repo)
    assert done.returncode == 2
    assert "give --out another folder" in done.stderr


def test_what_finds_no_time_says_so(repo: Path, tmp_path: Path) -> None:
    done = run(repo, "--minutes", "0", "--only", "diffst", "--out", str(tmp_path))
    assert done.returncode == 1
    assert json.loads((tmp_path / "results.json").read_text())["measurements"] == {"diffst": {"failed": "no time"}}
