"""Measure what each step costs before it does any work: CPU time of its script on a section of some 150 spots.

Time of threads and of started processes is in it. The two imports that it is compared with are measured in the same
rounds, so that what else runs on the machine falls on all alike. Results go to ``results.md`` beside this file.

    python benchmarks/fixed_cost/run.py --rounds 3
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from chain import Step, simulate, steps

HERE = Path(__file__).resolve().parent
IMPORTS = ("anndata", "torch")
GOALS = {"anndata": 1.5, "torch": 1.3}


def cpu_seconds(arguments: list[str]) -> float:
    """CPU time of an interpreter with these arguments, its threads and processes included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(chain: list[Step], seconds: dict[str, list[float]], rounds: int) -> str:
    base = {name: statistics.median(seconds[name]) for name in IMPORTS}
    both = statistics.median(seconds["torch, anndata"])
    lines = [
        "# Fixed cost of each step",
        "",
        f"CPU seconds of each script on a section of some 150 spots and 200 genes, {rounds} rounds; load average "
        f"{os.getloadavg()[0]:.1f} at the end. `import anndata` takes {base['anndata']:.2f}, `import torch` "
        f"{base['torch']:.2f}, both in one process {both:.2f} (medians).",
        "",
        "```",
        "python benchmarks/fixed_cost/run.py",
        "```",
        "",
        "| step | least | median | compared with | ratio of medians | goal |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for step in chain:
        found, package = seconds[step.name], "torch" if step.torch else "anndata"
        median = statistics.median(found)
        lines.append(
            f"| {step.name} | {min(found):.2f} | {median:.2f} | `import {package}` | {median / base[package]:.2f} | "
            f"{GOALS[package]} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "results.md")
    arguments = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        simulate(folder)
        chain = steps(folder)
        seconds: dict[str, list[float]] = {}
        for _ in range(arguments.rounds):
            for package in (*IMPORTS, "torch, anndata"):
                seconds.setdefault(package, []).append(cpu_seconds(["-c", f"import {package}"]))
            for step in chain:
                seconds.setdefault(step.name, []).append(cpu_seconds(step.command))
                print(step.name, f"{seconds[step.name][-1]:.2f}", flush=True)
    found = table(chain, seconds, arguments.rounds)
    arguments.output.write_text(found)
    print(found)


if __name__ == "__main__":
    main()
