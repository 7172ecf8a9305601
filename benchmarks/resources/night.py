"""Dry run of a facility's night: how long N samples take with so many GPUs, from the measured tasks.

`python benchmarks/resources/night.py` schedules the tasks of results.csv, without running them: each sample is one of
the measured sections of 2,000 genes, its tasks follow one another, DUSTED waits for a free GPU, any other for a core.
Super-resolution is left out, as by default.
"""

from __future__ import annotations

import argparse
import heapq
import sys
from dataclasses import dataclass

import pandas as pd
from measured import ALL_EPOCHS, RESULTS, SLIDE_GENES, with_training

ON_GPU = "DUSTED_DENOISE"
ORDER = (
    "SPACERANGER_CHECK",
    "SPACERANGER_INGEST",
    "SPOT_QC",
    "SPATIAL_GRAPH",
    "DUSTED_DENOISE",
    "SPATIAL_DOMAINS",
    "SAMPLE_REPORT",
    "SPATIALDATA_EXPORT",
)


@dataclass(frozen=True)
class Task:
    """What one process of one sample takes."""

    seconds: float
    on_gpu: bool


def chains(results: pd.DataFrame, n_samples: int, epochs: int, speedup: float) -> list[list[Task]]:
    """Tasks of each sample, one after the other; samples take the measured sizes in turn.

    The training in DUSTED's task grows with the epochs and shrinks with the GPU's `speedup`; the rest of it does not.
    """
    scaled = with_training(results[results["n_genes"] <= SLIDE_GENES], epochs=epochs, speedup=speedup)
    kinds = []
    for _, rows in scaled.groupby("size", sort=False):
        seconds = rows.set_index("process")["cpu_seconds"]
        kinds.append([Task(seconds[process], process == ON_GPU) for process in ORDER])
    return [kinds[number % len(kinds)] for number in range(n_samples)]


def makespan(samples: list[list[Task]], gpus: int, cores: int) -> tuple[float, float]:
    """Seconds until the last task ends, and the share of it that the GPUs work; first come, first served."""
    free = {True: gpus, False: cores}
    waiting: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
    at = [0] * len(samples)
    running: list[tuple[float, int, bool]] = []
    busy = now = 0.0
    for number, tasks in enumerate(samples):
        heapq.heappush(waiting[tasks[0].on_gpu], (0.0, number))
    while running or waiting[True] or waiting[False]:
        for kind in (True, False):
            while free[kind] and waiting[kind]:
                _, number = heapq.heappop(waiting[kind])
                task = samples[number][at[number]]
                free[kind] -= 1
                busy += task.seconds if kind else 0
                heapq.heappush(running, (now + task.seconds, number, kind))
        now, number, kind = heapq.heappop(running)
        free[kind] += 1
        at[number] += 1
        if at[number] < len(samples[number]):
            heapq.heappush(waiting[samples[number][at[number]].on_gpu], (now, number))
    return now, busy / (now * gpus)


def main() -> None:
    """Print makespans as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--cores", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=ALL_EPOCHS, help="of DUSTED's training")
    parser.add_argument("--gpus", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--speedups", type=float, nargs="+", default=[1, 10], help="of training on a GPU: assumed")
    options = parser.parse_args()
    results = pd.read_csv(RESULTS)
    sys.stdout.write(f"| GPUs | {' | '.join(f'a GPU as fast as {s:g} cores' for s in options.speedups)} |\n")
    sys.stdout.write(f"| --- |{' --- |' * len(options.speedups)}\n")
    for gpus in options.gpus:
        cells = []
        for speedup in options.speedups:
            samples = chains(results, options.samples, options.epochs, speedup)
            seconds, share = makespan(samples, gpus, options.cores)
            cells.append(f"{seconds / 3600:.1f} h, GPUs busy {share:.0%}")
        sys.stdout.write(f"| {gpus} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
