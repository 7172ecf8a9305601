#!/usr/bin/env python3
"""Measure ingest against squidpy and spatialdata-io, and on a sample of Visium HD's size.

Every reading is a process of its own; the readers take turns, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from inputs import complete_section, simulate_hd, simulate_visium

RIVALS = ["clearspot", "squidpy", "spatialdata-io"]
HD_READERS = ["clearspot", "scanpy, matrix only", "clearspot + write"]
DEFAULT_OUTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "outs" / "mouse_cytassist"


def measure(reader: str, path: Path) -> dict:
    worker = Path(__file__).with_name("worker.py")
    # compiled modules of their own for all: an environment may forbid to write them, which installed packages have
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(path.parent / "compiled")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", worker, reader, path],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if done.returncode:
        raise click.ClickException(f"{reader} on {path}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(title: str, path: Path, readers: list[str], repeats: int) -> None:
    """Print one table; ratios are to clearspot, medians over the repeats."""
    found: dict[str, list[dict]] = {reader: [] for reader in readers}
    for reader in readers:  # a first reading that does not count: compiles the modules, fills the disk's cache
        measure(reader, path)
    for _ in range(repeats):
        for reader in readers:
            found[reader].append(measure(reader, path))
    umi = {runs[0]["umi"] for runs in found.values()}
    if len(umi) > 1:
        raise click.ClickException(f"the readers disagree: {umi} UMI")
    shape = " x ".join(f"{side:,}" for side in found[readers[0]][0]["shape"])
    print(f"\n{title}: {shape}, {umi.pop():,} UMI, median of {repeats} (range)\n")
    columns = ["reader", "read, s (range)", "CPU, s", "import, s", "peak, MiB", "beyond imports, MiB"]
    columns += ["time ratio", "CPU ratio", "peak ratio"]
    print(f"| {' | '.join(columns)} |")
    print("| --- " * len(columns) + "|")
    middle = {
        reader: {key: statistics.median(run[key] for run in runs) for key in runs[0] if key not in ("umi", "shape")}
        for reader, runs in found.items()
    }
    base = middle[readers[0]]
    for reader, row in middle.items():
        spread = [run["read_s"] for run in found[reader]]
        ratios = (f"{row[key] / base[key]:.2f}" for key in ("read_s", "cpu_s", "peak_mib"))
        print(
            f"| {reader} | {row['read_s']:.2f} ({min(spread):.2f}-{max(spread):.2f}) | {row['cpu_s']:.2f} "
            f"| {row['import_s']:.1f} | {row['peak_mib']:,.0f} | {row['peak_mib'] - row['import_mib']:,.0f} "
            f"| {' | '.join(ratios)} |"
        )


@click.command(context_settings={"show_default": True})
@click.option("--outs", type=click.Path(path_type=Path), default=DEFAULT_OUTS, help="Real section to read.")
@click.option("--repeats", default=5, help="Readings by each reader.")
@click.option(
    "--hd-side", default=650, help="Bins along one side of the HD sample (squared: 422,500); 0 leaves it out."
)
@click.option("--hd-density", default=0.02, help="Share of entries that are not zero in the HD sample.")
def main(outs: Path, repeats: int, hd_side: int, hd_density: float) -> None:
    """Run the benchmark and print Markdown tables."""
    print(f"Python {platform.python_version()}, {platform.machine()}")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if outs.is_dir():
            compare(f"Real section ({outs.name})", complete_section(outs, folder / "real"), RIVALS, repeats)
        else:
            print(f"\nReal section: {outs} is not on this machine, left out")
        deep = simulate_visium(folder / "deep", n_genes=18_085, density=0.3)
        compare("Deep simulated section", deep, RIVALS, repeats)
        if hd_side:
            hd = simulate_hd(folder / "hd", side=hd_side, n_genes=18_085, density=hd_density)
            compare("HD-sized sample, 8 um bins", hd, HD_READERS, 1)


if __name__ == "__main__":
    main()
