"""Measure how DUSTED's time and memory grow with the section, at one tile size.

Every size is simulated and denoised in processes of their own; what is finished stands in ``results.json`` and is not
measured again, so a run that was broken off goes on where it was. Writes ``results.md`` and ``results.png`` too.

    OMP_NUM_THREADS=1 python benchmarks/dusted_scale/run.py
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import numpy as np
import torch

matplotlib.use("Agg")
from matplotlib import pyplot as plt

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
SIDES = (274, 387, 548, 775)
"""Bins along an edge: 75,000 to 600,000 bins, each twice the one before."""

GIB = 2**30


def measure(side: int, arguments: argparse.Namespace) -> dict:
    with TemporaryDirectory(dir=arguments.folder) as folder:
        h5ad = Path(folder) / "section.h5ad"
        subprocess.run([sys.executable, str(HERE / "section.py"), str(side), str(h5ad)], check=True)
        options = ["--epochs", arguments.epochs, "--tile", arguments.tile, "--threads", arguments.threads]
        command = [sys.executable, str(HERE / "worker.py"), str(h5ad), *map(str, options)]
        command += ["--precision", arguments.precision]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def line_fit(bins: np.ndarray, values: np.ndarray) -> tuple[float, float, float]:
    """Slope, intercept and share of variance of the straight line through the sizes."""
    slope, intercept = np.polyfit(bins, values, 1)
    left = values - slope * bins - intercept
    return slope, intercept, 1 - left.var() / values.var()


def table(settings: dict, cells: list[dict]) -> str:
    missing = len(SIDES) - len(cells)
    lines = [
        "# DUSTED on sections of growing size",
        "",
        f"Simulated Visium HD sections ([section.py](section.py)), 3,000 genes; default preset, "
        f"{settings['epochs']} epochs, tiles of {settings['tile']:,} bins and four rings of halo, "
        f"{settings['precision']} products, threads: {settings['threads']}; {settings['cpu']}, PyTorch "
        f"{settings['torch']}. Each size in a process of its own. Training is the start (directions, self gates, gene "
        "totals, dispersions) and the epochs. CPU time is what to compare: the machine was busy with other work (load "
        "in the table).",
        "",
        "    OMP_NUM_THREADS=1 python benchmarks/dusted_scale/run.py",
        "",
        "| bins | counts above zero | tiles | training, CPU s | training, s | CPU s in all | s in all | peak, GiB "
        "| beyond what was there before training, GiB | load |",
        "| --- " * 10 + "|",
    ]
    for cell in cells:
        beyond = (cell["peak_bytes_training"] - cell["peak_bytes_before_training"]) / GIB
        lines.append(
            f"| {cell['bins']:,} | {cell['entries'] / 1e6:.1f} million | {cell['tiles']} "
            f"| {cell['cpu_training']:.0f} | {cell['seconds_training']:.0f} "
            f"| {cell['cpu']:.0f} | {cell['seconds']:.0f} | {cell['peak_bytes'] / GIB:.2f} | {beyond:.2f} "
            f"| {cell['load']:.1f} |"
        )
    if missing > 0:
        lines += ["", f"{missing} of {len(SIDES)} sizes are not measured yet: the command above goes on with them."]
    if len(cells) > 2:
        bins = np.array([cell["bins"] for cell in cells], dtype=float)
        time = line_fit(bins, np.array([cell["cpu_training"] for cell in cells]))
        memory = line_fit(bins, np.array([cell["peak_bytes"] / GIB for cell in cells]))
        lines += [
            "",
            f"Straight line through the sizes: {time[0] * 1e5:.0f} CPU s of training for every 100,000 bins (R2 "
            f"{time[2]:.4f}); {memory[0] * 1e5:.2f} GiB for every 100,000 bins on top of {memory[1]:.2f} GiB. What "
            "grows is the sparse counts themselves, read whole: as they came, chosen, and thinned into two parts. "
            "What a tile needs does not depend on the section.",
            "",
            "![Time and memory against bins](results.png)",
        ]
    return "\n".join(lines) + "\n"


def plot(cells: list[dict], path: Path) -> None:
    bins = np.array([cell["bins"] for cell in cells]) / 1e3
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    left.plot(bins, [cell["cpu_training"] for cell in cells], "o-", label="CPU time")
    left.plot(bins, [cell["seconds_training"] for cell in cells], "s:", label="wall time, busy machine")
    left.set(xlabel="thousand bins", ylabel="training, s", xlim=(0, None), ylim=(0, None))
    right.plot(bins, [cell["peak_bytes"] / GIB for cell in cells], "o-", label="whole process")
    right.plot(bins, [cell["peak_bytes_before_training"] / GIB for cell in cells], "s:", label="before training")
    right.axhline(12, color="grey", linewidth=1, linestyle="--", label="limit")
    right.set(xlabel="thousand bins", ylabel="peak memory, GiB", xlim=(0, None), ylim=(0, 13))
    for axes in (left, right):
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--tile", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16", "auto"])
    parser.add_argument(
        "--folder", type=Path, help="For the sections (10 GB for the largest); a temporary one if absent."
    )
    arguments = parser.parse_args()
    settings = {
        "epochs": arguments.epochs,
        "tile": arguments.tile,
        "threads": arguments.threads,
        "precision": arguments.precision,
        "cpu": torch.cpu.get_capabilities().get("cpu_name") or platform.processor(),
        "torch": torch.__version__,
    }
    stored = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"settings": settings, "cells": {}}
    if stored["settings"] != settings:
        raise SystemExit(f"{RESULTS.name} holds other settings or another machine: {stored['settings']}. Move it away.")
    for side in arguments.sides:
        if str(side) not in stored["cells"]:
            stored["cells"][str(side)] = measure(side, arguments)
            RESULTS.write_text(json.dumps(stored, indent=1) + "\n")
            print(side, stored["cells"][str(side)], flush=True)
    cells = sorted(stored["cells"].values(), key=lambda cell: cell["bins"])
    (HERE / "results.md").write_text(table(settings, cells))
    if len(cells) > 2:
        plot(cells, HERE / "results.png")


if __name__ == "__main__":
    main()
