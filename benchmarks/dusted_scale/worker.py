"""Denoise one section in a process of its own and say on the last line what it took."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import anndata as ad

from clearspot.dusted import denoising
from clearspot.dusted.run import Run
from clearspot.learning.memory import peak_memory_bytes

SPANS: dict[str, float] = {}


class TimedRun(Run):
    """The same, with the processor time and the memory of training taken apart from the rest."""

    def train(self, *arguments, **named):
        SPANS["peak_bytes_before_training"] = peak_memory_bytes()
        began, cpu = time.perf_counter(), time.process_time()
        trained = super().train(*arguments, **named)
        SPANS["seconds_training"], SPANS["cpu_training"] = time.perf_counter() - began, time.process_time() - cpu
        SPANS["peak_bytes_training"] = peak_memory_bytes()
        return trained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("h5ad", type=Path)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--tile", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--precision", required=True)
    arguments = parser.parse_args()
    denoising.Run = TimedRun
    section = ad.read_h5ad(arguments.h5ad)
    counts = section.layers["counts"]
    began, cpu = time.perf_counter(), time.process_time()
    result = denoising.denoise(
        section,
        epochs=arguments.epochs,
        max_spots_per_tile=arguments.tile,
        spots_per_step=section.n_obs,  # one step a pass: what is measured is the cost of a pass
        threads=arguments.threads,
        precision=arguments.precision,
        denoised_store="file",  # the small sizes too, or they would do something else
        denoised_path=arguments.h5ad.with_suffix(".denoised.h5ad"),
    )
    metrics = result.record.metrics
    found = SPANS | {
        "bins": section.n_obs,
        "genes": section.n_vars,
        "entries": int(counts.nnz),
        "tiles": metrics["n_tiles"],
        "epochs": metrics["epochs"],
        "losses": result.training.loss.tolist(),
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak_bytes": peak_memory_bytes(),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
