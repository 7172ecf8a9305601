"""What a whole Visium section costs on the CPU: 6.5 x 6.5 mm, bins of 16 um, 200 genes, 8 draws, trained on itself.

    python benchmarks/superres/budget.py --work FOLDER     # budget.csv; steps that are there are not repeated

Runs the pipeline's own scripts with two threads and the default preset on copies of the phantom with its image, one
process a step. Beside wall time stand processor time (both threads) and the machine's load, since other work shares it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from cases import section
from phantom_case import PITCH_UM, phantom_case
from scipy import sparse

from clearspot.io.atomic import atomic_path, write_h5ad

HERE = Path(__file__).resolve().parent
BIN = HERE.parents[1] / "bin"
THREADS = 2
SIDE_UM = 6496.0
"""406 bins of 16 um."""


def write_section(work: Path) -> tuple[Path, Path]:
    """A whole slide made of copies of the benchmark's phantom, side by side: its counts and its image."""
    h5ad, picture = work / "s.h5ad", work / "image.tif"
    if h5ad.exists() and picture.exists():
        return h5ad, picture
    small = work / "phantom"
    case = phantom_case(5, small, n_genes=400)
    um_per_px = 1 / case.grid.px_per_um
    # whole steps of the lattice, so that it goes on across the seams
    steps_px = np.array([22 * PITCH_UM, 24 * PITCH_UM * np.sqrt(3) / 2]) / um_per_px
    counts, places = [], []
    image = tifffile.imread(case.image)
    x0, y0 = case.grid.origin_px
    side = int(np.ceil(SIDE_UM / um_per_px)) + 400
    canvas = np.full((side, side, 3), 244, dtype=np.uint8)
    for right in range(4):
        for down in range(4):
            shift = np.array([right, down]) * steps_px
            xy = case.xy_px - (x0, y0) + shift
            inside = (xy < SIDE_UM / um_per_px).all(axis=1)
            counts.append(case.counts[inside])
            places.append(xy[inside] + 200)
            left, top = (round(value) + 200 for value in shift)
            piece = image[round(y0) :, round(x0) :][: side - top, : side - left]
            canvas[top : top + len(piece), left : left + piece.shape[1]] = piece
    xy = np.concatenate(places)
    # a copy begins where the one before ends, up to one row of spots that both have
    kept = np.sort(np.unique(np.round(xy / (0.4 * PITCH_UM / um_per_px)), axis=0, return_index=True)[1])
    adata = section(sparse.vstack(counts).tocsr()[kept], case.adata.var_names, xy[kept], um_per_px)
    tifffile.imwrite(picture, canvas, compression="zlib")
    write_h5ad(adata, h5ad)
    print(
        f"{adata.n_obs} spots, {adata.n_vars} genes, image of {canvas.shape[1]} x {canvas.shape[0]} pixels", flush=True
    )
    return h5ad, picture


def steps(work: Path) -> dict[str, tuple[list[str], Path]]:
    """By name: command line, and the file that is there once it is done."""
    h5ad, picture = write_section(work)
    out = work / "out"
    common = ["--sample", "s", "--h5ad", str(h5ad), "--outdir", str(out)]
    trained = [*common, "--histology", str(out / "s.histology.npz"), "--threads", str(THREADS)]
    parts = {
        "histology_embed": ([*common, "--image", str(picture), "--bin-um", "16"], out / "s.histology.npz"),
        "diffusion_train": (trained, out / "s.diffst.pt"),
        "diffusion_sample": ([*trained, "--checkpoint", str(out / "s.diffst.pt")], out / "s.superres.h5ad"),
    }
    return {
        name: ([sys.executable, str(BIN / f"{name}.py"), *arguments], result)
        for name, (arguments, result) in parts.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    path = HERE / "budget.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    # as nextflow.config has it: threads that wait leave the processor to others
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "GOMP_SPINCOUNT": "3000", "PYTHONUNBUFFERED": "1"}
    for name, (command, result) in steps(args.work).items():
        if result.exists() and any(row["step"] == name for row in rows):
            continue
        load, began = os.getloadavg()[0], time.perf_counter()
        process = subprocess.Popen(command, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{name} failed: {' '.join(command)}")
        row = {
            "step": name,
            "wall_s": round(time.perf_counter() - began),
            "cpu_s": round(used.ru_utime + used.ru_stime),
            "peak_mib": round(used.ru_maxrss / 1024),
            "load_before": round(load, 1),
            "load_after": round(os.getloadavg()[0], 1),
        }
        print(row, flush=True)
        rows = [other for other in rows if other["step"] != name] + [row]
        with atomic_path(path) as partial:
            pd.DataFrame(rows).to_csv(partial, index=False)


if __name__ == "__main__":
    main()
