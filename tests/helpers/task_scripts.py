"""Runs small Nextflow scripts under the pipeline's own configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.helpers.engine import REPO, Run, environment


def run_script(
    launch_dir: Path,
    script: Path,
    *arguments: str,
    tools: Path | None = None,
    variables: Mapping[str, str] | None = None,
    timeout: int = 1500,
) -> Run:
    """Run `script` from `launch_dir` with the repository's nextflow.config; `tools` stands first on the search path."""
    launch_dir.mkdir(parents=True, exist_ok=True)
    outdir = launch_dir / "results"
    surroundings = environment() | dict(variables or {})
    if tools is not None:
        surroundings["PATH"] = f"{tools}{os.pathsep}{surroundings['PATH']}"
    command = [str(REPO / "tools/nextflow/launch"), "-c", str(REPO / "nextflow.config"), "run", str(script)]
    done = subprocess.run(
        [*command, "--outdir", str(outdir), *arguments],
        cwd=launch_dir,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr, launch_dir, outdir)


def wrapper(workdir: str | Path) -> str:
    """The script of a task that the scheduler gets."""
    return (Path(workdir) / ".command.run").read_text()
