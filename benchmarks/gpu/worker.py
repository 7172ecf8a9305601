"""Make one measurement in a process of its own and print it, as JSON, on the last line.

``run.py`` starts it, with the folders of the speed and the scale benchmark on ``PYTHONPATH``. Sizes are those of
:data:`FULL`, or with ``--small`` those of :data:`SMALL`. What only one of them needs is imported there: a process is
started for each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import torch
from section import draw_counts, make_section

from clearspot import keys
from clearspot.dusted import denoise
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.section import Section
from clearspot.errors import GpuOutOfMemoryError
from clearspot.graph.build import build_graph

PITCH_PX = 137.0
COUNTS_PER_SPOT = 3500
"""As a section of brain has (DLPFC), whose size the paper's time is of."""


@dataclass(frozen=True)
class Sizes:
    """How large the measurements are.

    Parameters
    ----------
    spots
        Spots of the section of the paper's time.
    genes
        Genes of every section of DUSTED.
    epochs
        Epochs that are timed, after two that are not.
    side
        Bins along a side of the large section.
    epochs_large
        Epochs on it.
    tile
        Spots of a tile of the large section.
    diffst
        Settings of Diff-ST.
    """

    spots: int
    genes: int
    epochs: int
    side: int
    epochs_large: int
    tile: int
    diffst: dict[str, Any]


FULL = Sizes(3639, 3000, 30, 775, 3, 60_000, {"preset": "gpu", "steps_mean": 120, "steps_diffusion": 120, "samples": 4})
SMALL = Sizes(80, 60, 2, 16, 1, 150, {"preset": "test", "steps_mean": 4, "steps_diffusion": 4, "samples": 2})


def lattice(sizes: Sizes) -> ad.AnnData:
    """A section of spots as Visium has them, with its graph."""
    spots = sizes.spots
    row, column = np.divmod(np.arange(spots), int(np.ceil(np.sqrt(spots))))
    positions = np.column_stack([column + 0.5 * (row % 2), row * np.sqrt(0.75)]) * PITCH_PX
    section = ad.AnnData(
        obs=pd.DataFrame(index=[f"spot_{i}" for i in range(spots)]),
        var=pd.DataFrame({keys.HIGHLY_VARIABLE: True}, index=[f"g{gene}" for gene in range(sizes.genes)]),
        layers={keys.COUNTS: draw_counts(positions, 0, COUNTS_PER_SPOT)[:, : sizes.genes]},
        obsm={keys.SPATIAL: positions},
    )
    build_graph(section, "simulated")
    return section


def square(sizes: Sizes, side: int) -> ad.AnnData:
    """A section of bins as Visium HD has them, with its graph."""
    return make_section(side)[:, : sizes.genes].copy()


def modelled(sizes: Sizes) -> Section:
    """The section of spots, as the model takes it."""
    from measure import PAPER

    return read_section(lattice(sizes), "simulated", PAPER).section


def wait(device: torch.device) -> None:
    """Let the GPU finish what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak(device: torch.device) -> int | None:
    """Bytes of GPU memory at the most, None on a CPU."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None


def epochs_a_second(epoch: Callable[[], float], n_epochs: int, device: torch.device) -> float:
    """Speed after two epochs that warm up."""
    for _ in range(2):
        epoch()
    wait(device)
    began = time.perf_counter()
    for _ in range(n_epochs):
        epoch()
    wait(device)
    return n_epochs / (time.perf_counter() - began)


def dusted_speed(sizes: Sizes, device: torch.device) -> dict[str, Any]:
    """Epochs a second of the paper's settings (ZINB, whole section at once), and of the plain PyG version."""
    from measure import clearspot_epoch, yardstick_epoch

    section = modelled(sizes)
    found: dict[str, Any] = {"spots": section.n_spots, "genes": section.n_genes}
    variants = {
        "plain": lambda: yardstick_epoch(section, device),
        "fp32": lambda: clearspot_epoch(section, torch.float32, False, device),
        "bf16": lambda: clearspot_epoch(section, torch.bfloat16, False, device),
    }
    for name, make in variants.items():
        found[f"epochs_a_second_{name}"] = epochs_a_second(make(), sizes.epochs, device)
    found["seconds_500_epochs"] = 500 / found["epochs_a_second_fp32"]
    found["seconds_500_epochs_paper"] = 36.0
    return found | {"peak_bytes": peak(device)}


def one_of_two(sizes: Sizes, device: torch.device) -> dict[str, Any]:
    """Epochs a second, for two such processes at the same time."""
    from measure import clearspot_epoch

    epoch = clearspot_epoch(modelled(sizes), torch.float32, False, device)
    return {"epochs_a_second": epochs_a_second(epoch, sizes.epochs, device)}


def dusted_large(sizes: Sizes, device: torch.device) -> dict[str, Any]:
    """A section of 600,000 bins, in tiles."""
    began = time.perf_counter()
    section = square(sizes, sizes.side)
    made = time.perf_counter() - began
    began = time.perf_counter()
    result = denoise(
        section, device=str(device), epochs=sizes.epochs_large, max_spots_per_tile=sizes.tile, progress=False
    )
    seconds = time.perf_counter() - began
    tiles = result.record.metrics["n_tiles"]
    return {"bins": section.n_obs, "tiles": tiles, "epochs": sizes.epochs_large, "seconds": seconds,
            "seconds_to_make": made, "peak_bytes": peak(device)}  # fmt: skip


def out_of_memory(sizes: Sizes, device: torch.device) -> dict[str, Any]:
    """The whole section as one tile in too little memory is refused by its own error; smaller tiles go through."""
    if device.type != "cuda":
        return {"left_out": "needs a GPU"}
    section = square(sizes, sizes.side // 4)
    torch.cuda.set_per_process_memory_fraction(2e9 / torch.cuda.get_device_properties(device).total_memory, device)
    found: dict[str, Any] = {"bins": section.n_obs, "refused": False}
    try:
        denoise(section.copy(), device=str(device), epochs=1, max_spots_per_tile=section.n_obs, progress=False)
    except GpuOutOfMemoryError:
        found["refused"] = True
    torch.cuda.empty_cache()
    denoise(section, device=str(device), epochs=1, max_spots_per_tile=2000, progress=False)
    return found | {"smaller_tiles": "passed"}


def diffst(sizes: Sizes, device: torch.device) -> dict[str, Any]:
    """Training steps a second of both stages, and the draws of a section with its image."""
    from clearspot.diffst import superresolve
    from clearspot.io.ingest import ingest_outs
    from clearspot.simulate.cohort import simulate_cohort

    with TemporaryDirectory() as folder:
        (files,) = simulate_cohort(Path(folder), name="test")
        section, _ = ingest_outs(files.outs, files.sample)
        choose = {"genes": "all", "device": str(device), "progress": False}
        result = superresolve(section, files.image, out=Path(folder) / "out", **choose, **sizes.diffst)
        assert result.training is not None
        training, draws = result.training.metrics, result.record.metrics
    steps = {stage: sizes.diffst[f"steps_{stage}"] for stage in ("mean", "diffusion")}
    found = {f"steps_a_second_{stage}": n / training[f"seconds_{stage}"] for stage, n in steps.items()}
    spent = {f"draws_{name}": value for name, value in draws.items() if name.startswith("seconds")}
    return found | spent | {"samples": sizes.diffst["samples"], "peak_bytes": peak(device)}


def equality(sizes: Sizes, device: torch.device) -> dict[str, Any]:
    """The same epochs on the CPU: losses and denoised values against those of the device."""
    section = lattice(sizes)
    results = {}
    for name in ("cpu", str(device)):
        part = section.copy()
        result = denoise(part, device=name, precision="fp32", epochs=20, progress=False)
        results[name] = result.training["loss"].to_numpy(), part.layers[keys.DENOISED]
        if str(device) == "cpu":
            break
    (losses, values), (of_loss, of_values) = results["cpu"], results[str(device)]
    return {
        "loss_first": float(abs(of_loss[0] / losses[0] - 1)), "loss_first_bound": 1e-5,
        "loss_last": float(abs(of_loss[-1] / losses[-1] - 1)), "loss_last_bound": 1e-3,
        "denoised_median": float(np.nanmedian(np.abs(of_values / values - 1))), "denoised_median_bound": 1e-2,
    }  # fmt: skip


MEASUREMENTS: dict[str, Callable[[Sizes, torch.device], dict[str, Any]]] = {
    "dusted_speed": dusted_speed, "one_of_two": one_of_two, "equality": equality, "out_of_memory": out_of_memory,
    "diffst": diffst, "dusted_large": dusted_large,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MEASUREMENTS)
    parser.add_argument("--device", required=True)
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    found = MEASUREMENTS[arguments.name](SMALL if arguments.small else FULL, torch.device(arguments.device))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
