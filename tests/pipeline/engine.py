"""Runs Nextflow the way a user does, and reads what it left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

REPO = Path(__file__).resolve().parents[2]


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


def run_pipeline(launch_dir: Path, *arguments: str, outdir: Path | None = None, timeout: int = 1500) -> Run:
    """Run the pipeline from `launch_dir`; `-resume`d runs share the launch folder."""
    outdir = outdir or launch_dir / "results"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("TOWER_", "NXF_"))}
    environment |= {
        "NXF_OFFLINE": "true",
        "NXF_ANSI_LOG": "false",
        "NXF_DISABLE_CHECK_LATEST": "true",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [str(REPO / "tools/nextflow/launch"), "run", str(REPO), "--outdir", str(outdir), *arguments]
    launch_dir.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command, cwd=launch_dir, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr, launch_dir, outdir)
