"""Many samples at once through the local executor on two cores: mix-ups, Nextflow's heap, time lost between tasks.

`python benchmarks/load/run.py` simulates 64 small samples, no two with the same counts, runs the pipeline over them
with models of a size that says nothing about biology, and adds a row to results.csv. `--stub` runs the processes' stubs
instead: the channels and the heap, in minutes; their tasks are too short for the share of time to mean something.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

import anndata as ad
import h5py

HERE = Path(__file__).parent
REPO = HERE.parents[1]
RESULTS = HERE / "results.csv"
CORES = 2
HEAP_MB = 512
SMALL = ("--dusted_epochs", "2", "--n_hvgs", "100", "--moran_n_genes", "2", "--moran_n_perms", "2", "--n_domains", "2")
CONFIG = f"""
trace.raw = true
executor.cpus = {CORES}
process.resourceLimits = [cpus: 1, memory: 4.GB, time: 1.h]
"""


def environment() -> dict[str, str]:
    """Tasks find this environment's programs, one thread each; Java's heap is bounded, its collections are noted."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    offline = {"NXF_OFFLINE": "true", "NXF_ANSI_LOG": "false", "OMP_NUM_THREADS": "1"}
    return os.environ | offline | {"PATH": path, "NXF_OPTS": f"-Xmx{HEAP_MB}m -Xlog:gc:file=gc.log"}


def simulate(folder: Path, n_samples: int) -> dict[str, int]:
    """Write the samples; returns the UMIs of each, which tell it from all others."""
    command = [
        "clearspot",
        "simulate",
        str(folder),
        "--samples",
        str(n_samples),
        "--width-um",
        "1400",
        "--genes",
        "150",
    ]
    subprocess.run([*command, "--no-image"], env=environment(), check=True, stdout=subprocess.DEVNULL)
    umis = {}
    for number in range(1, n_samples + 1):
        with h5py.File(folder / f"phantom_{number}/outs/filtered_feature_bc_matrix.h5") as file:
            umis[f"phantom_{number}"] = int(file["matrix/data"][:].sum())
    assert len(set(umis.values())) == n_samples, "two samples have the same counts"
    return umis


def mixed_up(outdir: Path, umis: dict[str, int], stub: bool) -> int:
    """How many samples have something in their folder that is not theirs, or lack something."""
    wrong = 0
    for sample, expected in umis.items():
        names = {path.name for path in (outdir / sample).iterdir() if path.is_file()}
        right = names == {f"{sample}.h5ad", f"{sample}_report.html", "metrics.json", f"{sample}.zarr.zip"}
        if right and not stub:
            adata = ad.read_h5ad(outdir / sample / f"{sample}.h5ad")
            checked = json.loads((outdir / sample / "metrics.json").read_text())["steps"]["check"]["metrics"]
            found = (int(adata.layers["counts"].sum()), checked["umis_in_tissue"], set(adata.obs["sample_id"]))
            right = found == (expected, expected, {sample})
        wrong += not right
    return wrong


def heap_peak_mb(log: Path) -> int:
    """Largest heap that a collection found, in MB."""
    return max((int(before) for before in re.findall(r"(\d+)M->\d+M", log.read_text())), default=0)


def main() -> None:
    """Simulate, run, judge, and add a row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--stub", action="store_true")
    options = parser.parse_args()
    folder = Path(mkdtemp(prefix="load-"))
    umis = simulate(folder, options.samples)
    (folder / "load.config").write_text(CONFIG)
    command = [
        str(REPO / "tools/nextflow/launch"),
        "-c",
        str(folder / "load.config"),
        "run",
        str(REPO),
        "-profile",
        "test",
    ]
    command += ["--input", str(folder / "samplesheet.csv"), "--outdir", str(folder / "results"), *SMALL]
    began = time.monotonic()
    subprocess.run(command + ["-stub-run"] * options.stub, cwd=folder, env=environment(), check=True)
    wall = time.monotonic() - began
    (trace,) = (folder / "results/pipeline_info").glob("execution_trace_*.txt")
    tasks = list(csv.DictReader(trace.open(), delimiter="\t"))
    busy = sum(float(task["realtime"]) for task in tasks) / 1000
    row = {
        "samples": options.samples,
        "what": "stubs" if options.stub else "small models",
        "tasks": len(tasks),
        "mixed_up": mixed_up(folder / "results", umis, options.stub),
        "heap_peak_mb": heap_peak_mb(folder / "gc.log"),
        "heap_limit_mb": HEAP_MB,
        "wall_seconds": round(wall),
        "task_seconds": round(busy),
        "wall_over_task_seconds_per_core": round(wall / (busy / CORES), 2),
    }
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(row)
    shutil.rmtree(folder)
    if row["mixed_up"]:
        raise SystemExit(f"{row['mixed_up']} samples are mixed up")


if __name__ == "__main__":
    main()
