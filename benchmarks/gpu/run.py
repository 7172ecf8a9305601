"""Measure DUSTED and Diff-ST on one GPU, in at most six minutes.

    python benchmarks/gpu/run.py              # results.json and results.md beside this file
    python benchmarks/gpu/run.py --dry-run    # the same on the CPU, with tiny sizes, into --out

Each measurement is a process of its own with its share of the time. What it found is written at once; one that fails or
takes too long says so and keeps none of the others from running. Sections are simulated: nothing is read but this tree.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
MINUTES = 6.0
SHARES = {
    "dusted_speed": 60, "two_processes": 60, "equality": 45, "out_of_memory": 45, "diffst": 90, "dusted_large": 150,
}  # fmt: skip
"""Most seconds that each may take; all that is left, where that is less."""


def measure(name: str, device: str, small: bool, seconds: float) -> dict[str, Any]:
    """One measurement, or why there is none."""
    folders = [HERE.parent / "dusted_speed", HERE.parent / "dusted_scale"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, str(HERE / "worker.py"), name, "--device", device, *(["--small"] if small else [])]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=max(seconds, 1), check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {seconds:.0f} s"}
    if done.returncode != 0:
        return {"failed": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def two_processes(device: str, small: bool, seconds: float) -> dict[str, Any]:
    """Two processes that train on the device at the same time."""
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: measure("one_of_two", device, small, seconds), range(2)))
    failed = [one["failed"] for one in both if "failed" in one]
    return {"failed": failed[0]} if failed else {"epochs_a_second_each": [one["epochs_a_second"] for one in both]}


def machine(device: str) -> dict[str, Any]:
    """What it was measured on."""
    import torch

    found = {"device": device, "python": platform.python_version(), "torch": torch.__version__}
    if device == "cpu":
        return found | {"name": "CPU"}
    return found | {"name": torch.cuda.get_device_name(device), "cuda": torch.version.cuda}


def table(results: dict[str, Any]) -> str:
    """The figures as Markdown."""
    about = results["machine"]
    lines = [
        "# On one GPU",
        "",
        f"{about['name']}; PyTorch {about['torch']}; {results['seconds']:.0f} s in all; "
        f"sizes: {'tiny, a dry run' if results['small'] else 'full'}.",
        "",
        "| measurement | figure | |",
        "| --- | --- | --- |",
    ]
    for name, found in results["measurements"].items():
        for figure, value in found.items():
            if not figure.endswith("_bound"):
                lines.append(f"| {name} | {figure} | {shown(value)}{bound(found, figure)} |")
    return "\n".join([*lines, ""])


def shown(value: Any) -> str:
    """A figure in four digits."""
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def bound(found: dict[str, Any], figure: str) -> str:
    """Whether a difference is within its bound."""
    limit = found.get(f"{figure}_bound")
    return "" if limit is None else f" ({'within' if found[figure] <= limit else 'ABOVE'} {limit:g})"


def main() -> int:
    """Measure; the exit code says whether everything was measured and is within its bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dry-run", action="store_true", help="On the CPU, with tiny sizes.")
    parser.add_argument("--only", choices=SHARES, nargs="+", default=list(SHARES))
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--out", type=Path, default=HERE)
    arguments = parser.parse_args()
    if arguments.dry_run and arguments.out.resolve() == HERE:
        parser.error("a dry run's figures mean nothing: give --out another folder")
    device = "cpu" if arguments.dry_run else arguments.device
    arguments.out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    results: dict[str, Any] = {"machine": machine(device), "small": arguments.dry_run, "measurements": {}}
    for name in arguments.only:
        left = 60 * arguments.minutes - (time.monotonic() - began)
        seconds = left if arguments.dry_run else min(SHARES[name], left)
        take = two_processes if name == "two_processes" else lambda *rest, name=name: measure(name, *rest)
        results["measurements"][name] = take(device, arguments.dry_run, seconds) if left > 1 else {"failed": "no time"}
        results["seconds"] = time.monotonic() - began
        (arguments.out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        (arguments.out / "results.md").write_text(table(results), encoding="utf-8")
        print(name, json.dumps(results["measurements"][name]), flush=True)
    return int("ABOVE" in table(results) or any("failed" in found for found in results["measurements"].values()))


if __name__ == "__main__":
    sys.exit(main())
