"""Measure an epoch of DUSTED on a quiet machine and beside as much other work, however it is started.

One busy process a core is the other work. Runs alternate between quiet and beside; an epoch's CPU time is the
difference between a long and a short run of the same program, so start and files are not in it. The last row lets
waiting threads spin as OpenMP does by itself. Results go to ``beside.md`` beside this file.

    python benchmarks/dusted_speed/beside.py --epochs 8 --pairs 3
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anndata as ad
import numpy as np
import scanpy as sc

from clearspot.graph.build import build_graph

HERE = Path(__file__).resolve().parent
SECTION = HERE.parents[2] / "shared" / "data" / "dlpfc" / "151673.h5ad"
SHORT = 2
CALL = "import anndata as ad; adata = ad.read_h5ad({file!r}); from clearspot import dusted; dusted.denoise({call})"
SETTINGS = "adata, genes='all', threads={threads}, epochs={epochs}, patience=1000, precision='fp32', start='random'"
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
SPINNING = {"GOMP_SPINCOUNT": "300000"}


def program(way: str, file: Path, threads: int, epochs: int) -> list[str]:
    """Command of one way to start DUSTED."""
    if way == "command line":
        options = ["--genes", "all", "--patience", "1000", "--precision", "fp32", "--start", "random"]
        options += ["--threads", str(threads), "--epochs", str(epochs)]
        start = "from clearspot.cli import main; main()"
        return [sys.executable, "-c", start, "denoise", str(file), str(file.with_name("out.h5ad")), *options]
    code = CALL.format(file=str(file), call=SETTINGS.format(threads=threads, epochs=epochs))
    first = "import torch; torch.ones(10**6).add_(1); " if way == "notebook, PyTorch imported first" else ""
    return [sys.executable, "-c", first + code]


@contextmanager
def other_work(processes: int) -> Iterator[None]:
    """Keep this many processes busy inside the block."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def cpu_seconds(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def epoch_seconds(way: str, file: Path, threads: int, epochs: int) -> float:
    """CPU seconds of one epoch."""
    environment = {name: value for name, value in os.environ.items() if name not in WAITING}
    if way.endswith("spinning"):
        environment |= SPINNING
    short, long = (cpu_seconds(program(way, file, threads, n), environment) for n in (SHORT, SHORT + epochs))
    return (long - short) / epochs


def prepare(section: Path, file: Path) -> str:
    adata = ad.read_h5ad(section)
    adata = adata[:, np.asarray(adata.X.sum(axis=0)).ravel() > 100].copy()
    sc.pp.highly_variable_genes(adata, n_top_genes=3000, flavor="seurat_v3")
    adata = adata[:, adata.var["highly_variable"]].copy()
    adata.layers["counts"] = adata.X.copy()
    build_graph(adata, "section")
    adata.write_h5ad(file)
    return f"{adata.n_obs:,} spots x {adata.n_vars:,} genes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--section", type=Path, default=SECTION)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    ways = ["library", "command line", "notebook, PyTorch imported first", "library, spinning"]
    parser.add_argument("--ways", nargs="+", default=ways, choices=ways)
    parser.add_argument("--output", type=Path, default=HERE / "beside.md")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    rows, load = [], os.getloadavg()[0]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "section.h5ad"
        about = prepare(arguments.section, file)
        for way in arguments.ways:
            quiet, beside = [], []
            for _ in range(arguments.pairs):
                quiet.append(epoch_seconds(way, file, arguments.threads, arguments.epochs))
                with other_work(cores):
                    beside.append(epoch_seconds(way, file, arguments.threads, arguments.epochs))
            first, second = statistics.median(quiet), statistics.median(beside)
            rows.append(f"| {way} | {first:.2f} | {second:.2f} | {second / first:.2f} |")
            print(rows[-1], flush=True)
    text = [
        "# DUSTED beside other work",
        "",
        f"CPU seconds of an epoch; {about}, fp32, {arguments.threads} threads, {cores} cores; medians of "
        f"{arguments.pairs} pairs of {arguments.epochs} epochs; load average {load:.1f} at the start. Goal: at most "
        "1.5 times the quiet time.",
        "",
        "```",
        "python benchmarks/dusted_speed/beside.py",
        "```",
        "",
        "| started from | quiet | beside one busy process a core | ratio |",
        "| --- | --- | --- | --- |",
        *rows,
    ]
    arguments.output.write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
