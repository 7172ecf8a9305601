"""DUSTED on Visium HD bins: passes over the section, and how far neighbours reach.

    python benchmarks/denoise/hd_passes.py passes
    python benchmarks/denoise/hd_passes.py reach

Each run adds a line to results/hd_passes.jsonl; what is there is not run again. One thread; processor time is what to
compare. The score is on the counts that also stop the training: against other methods, DUSTED is scored by run.py g.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from hd_sections import TOUCHING, kidney

from clearspot.dusted.run import Run

RESULTS = Path(__file__).parent / "results" / "hd_passes.jsonl"

WHOLE = 10**6
PASSES = {
    "one step a pass": {"spots_per_step": WHOLE, "epochs": 60},
    "batches, rate 1": {"batch_lr": 1.0, "epochs": 40},
    "smaller batches, rate 1": {"batch_lr": 1.0, "epochs": 40, "spots_per_step": 2048},
    "batches, rate 3": {"batch_lr": 3.0, "epochs": 25},
    "batches, rate 10": {"epochs": 15},
}
REACHES = {8: (1.5, 2.5, 3.2), 16: (1.5, 2.5)}


def denoise(name: str, bin_um: int, reach: float, **settings: object) -> dict[str, object]:
    """One training run, scored on held-out counts."""
    source, params = kidney(bin_um, reach, threads=1, **settings)
    began = time.process_time()
    run = Run(source, name, params, torch.device("cpu"))
    model, state, _ = run.train(None, None, None, False)
    seconds = time.process_time() - began
    found = run.compare(model)
    assert found is not None
    constant, section = found.constant.deviance, source.section
    return {
        "run": name,
        "bin_um": bin_um,
        "bins": section.n_spots,
        "neighbours": round(section.graph.nnz / section.n_spots, 1),
        "epochs": state.epoch,
        "best_epoch": state.best_epoch + 1,
        "explained": round(100 * (1 - found.dusted.deviance / constant), 3),
        "correlation": round(float(np.nanmean(found.dusted.gene_correlation)), 4),
        "explained_one_hop_mean": round(100 * (1 - found.neighbours.deviance / constant), 3),
        "cpu_seconds": round(seconds, 1),
        "score": [round(score, 6) for score in state.score],
    }


def runs(what: str) -> Iterator[tuple[str, int, Callable[[], dict[str, object]]]]:
    """Name, bin size and work of each run."""
    if what == "passes":
        for name, settings in PASSES.items():
            yield name, 8, partial(denoise, name, 8, TOUCHING, **settings)
        return
    for bin_um, reaches in REACHES.items():
        for reach in reaches:
            yield f"reach {reach}", bin_um, partial(denoise, f"reach {reach}", bin_um, reach, epochs=8)


def main() -> None:
    """Run what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("passes", "reach"))
    what = parser.parse_args().what
    torch.set_num_threads(1)
    lines = RESULTS.read_text().splitlines() if RESULTS.exists() else []
    done = {(line["run"], line["bin_um"]) for line in map(json.loads, lines)}
    for name, bin_um, work in runs(what):
        if (name, bin_um) in done:
            continue
        row = work()
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print({key: value for key, value in row.items() if key != "score"}, flush=True)


if __name__ == "__main__":
    main()
