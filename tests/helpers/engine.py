"""Runs Nextflow the way a user does, and reads what it left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

REPO = Path(__file__).resolve().parents[2]
SMALL_TASKS = Path(__file__).with_name("small_tasks.config")


@dataclass(frozen=True)
class Run:
    """A finished `nextflow run`."""

    exit_code: int
    log: str
    launch_dir: Path
    outdir: Path

    @property
    def trace(self) -> pd.DataFrame:
        """Trace of the run: one row a task, `step` is the process's last name."""
        newest = max(
            (self.outdir / "pipeline_info").glob("execution_trace_*.txt"), key=lambda path: path.stat().st_mtime
        )
        table = pd.read_csv(newest, sep="\t")
        table["step"] = table["process"].str.split(":").str[-1]
        return table

    def steps(self, status: str) -> set[tuple[str, str]]:
        """(step, sample) pairs whose status is `status`."""
        table = self.trace
        chosen = table[table["status"] == status]
        return set(zip(chosen["step"], chosen["tag"].fillna("-"), strict=True))


def command_line(outdir: Path, *arguments: str) -> list[str]:
    """`nextflow run` of this checkout."""
    launcher = str(REPO / "tools/nextflow/launch")
    return [launcher, "-c", str(SMALL_TASKS), "run", str(REPO), "--outdir", str(outdir), *arguments]


def environment() -> dict[str, str]:
    """This process's environment, less what would change a run."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TOWER_", "NXF_"))}
    return kept | {
        "NXF_OFFLINE": "true",
        "NXF_ANSI_LOG": "false",
        "NXF_DISABLE_CHECK_LATEST": "true",
        # a run here is too short for the second compiler and the parallel collector to pay: half of Java's own work
        "NXF_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def run_pipeline(
    launch_dir: Path,
    *arguments: str,
    outdir: Path | None = None,
    variables: Mapping[str, str] | None = None,
    timeout: int = 1500,
) -> Run:
    """Run the pipeline from `launch_dir`, with more environment `variables`; `-resume`d runs share the folder."""
    outdir = outdir or launch_dir / "results"
    launch_dir.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command_line(outdir, *arguments),
        cwd=launch_dir,
        env=environment() | dict(variables or {}),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr, launch_dir, outdir)


class Started:
    """A run that goes on while the test does something to it.

    Parameters
    ----------
    launch_dir, arguments
        As those of :func:`run_pipeline`.
    """

    def __init__(self, launch_dir: Path, *arguments: str):
        self.launch_dir, self.outdir = launch_dir, launch_dir / "results"
        launch_dir.mkdir(parents=True, exist_ok=True)
        self._log = launch_dir / "started.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                command_line(self.outdir, *arguments),
                cwd=launch_dir,
                env=environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, what: Callable[[], bool], timeout: float = 600) -> None:
        """Return once something is so; fail where the run ends before it."""
        deadline = time.monotonic() + timeout
        while not what():
            assert self._process.poll() is None, f"ended too early:\n{self._log.read_text()}"
            assert time.monotonic() < deadline, f"waited in vain:\n{self._log.read_text()}"
            time.sleep(0.05)

    def processes(self, *words: str) -> list[int]:
        """Process ids of the run's own processes whose command line has all these words."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    command = (entry / "cmdline").read_text().split("\0")
                    if os.getpgid(int(entry.name)) == self._process.pid and set(words) <= set(command):
                        found.append(int(entry.name))
                except (ProcessLookupError, FileNotFoundError):
                    continue
        return found

    def kill(self) -> None:
        """End Nextflow and every task at once, as a machine does that loses its power."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def finish(self, timeout: int = 1500) -> Run:
        """Wait for the end."""
        code = self._process.wait(timeout)
        return Run(code, self._log.read_text(), self.launch_dir, self.outdir)


def branch_off(run: Run, launch_dir: Path) -> tuple[str, ...]:
    """Make a launch folder that resumes a finished run without touching it; returns the options that do so."""
    shutil.copytree(run.launch_dir / ".nextflow", launch_dir / ".nextflow")
    return "-resume", "-work-dir", str(run.launch_dir / "work")


def run_again(first_run: Run, phantoms: Path, outdir: Path, *arguments: str) -> Run:
    """Resume the first run into results of its own."""
    sheet = ("--input", str(phantoms / "samplesheet.csv"))
    return run_pipeline(first_run.launch_dir, "-profile", "test", *sheet, "-resume", *arguments, outdir=outdir)
