"""What a whole Visium section costs on the CPU: 6.5 x 6.5 mm, bins of 16 um, 200 genes, 8 draws, trained on itself.

    python benchmarks/superres/budget.py --work FOLDER     # budget.csv; steps that FOLDER has are not repeated

Runs the pipeline's own scripts with two threads and the default preset on a simulated section with its image, one
process a step. Beside wall time stand processor time (both threads) and the machine's load, since other work shares it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from clearspot.io.atomic import atomic_path

HERE = Path(__file__).resolve().parent
BIN = HERE.parents[1] / "bin"
THREADS = 2
COUNTED = ("histology_embed", "diffusion_train", "diffusion_sample")
"""Steps that super-resolution adds."""


def steps(work: Path) -> dict[str, tuple[list[str], Path]]:
    """By name: command line, and the file that is there once it is done."""
    sample, h5ad = ["--sample", "s"], work / "qc" / "s.h5ad"
    outs = work / "phantom_1" / "outs"
    histology, model = work / "out" / "s.histology.npz", work / "out" / "s.diffst.pt"
    section = ["--h5ad", str(h5ad), "--outdir", str(work / "out")]
    simulate = [str(Path(sys.executable).with_name("clearspot")), "simulate", str(work), "--preset", "section"]

    def script(name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(BIN / f"{name}.py"), *sample, *arguments]

    trained = ["--histology", str(histology), "--threads", str(THREADS)]
    return {
        "simulate": (simulate, work / "samplesheet.csv"),
        "ingest": (
            script("spaceranger_ingest", "--outs", str(outs), "--outdir", str(work / "ingest")),
            work / "ingest" / "s.h5ad",
        ),
        "qc": (script("spot_qc", "--h5ad", str(work / "ingest" / "s.h5ad"), "--outdir", str(work / "qc")), h5ad),
        "histology_embed": (
            script("histology_embed", *section, "--image", str(work / "phantom_1" / "image.tif"), "--bin-um", "16"),
            histology,
        ),
        "diffusion_train": (script("diffusion_train", *section, *trained), model),
        "diffusion_sample": (
            script("diffusion_sample", *section, *trained, "--checkpoint", str(model)),
            work / "out" / "s.superres.h5ad",
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    path = HERE / "budget.csv"
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "PYTHONUNBUFFERED": "1"}
    for name, (command, result) in steps(args.work).items():
        if result.exists() and (name not in COUNTED or any(row["step"] == name for row in rows)):
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
        if name in COUNTED:
            rows = [other for other in rows if other["step"] != name] + [row]
            with atomic_path(path) as partial:
                pd.DataFrame(rows).to_csv(partial, index=False)


if __name__ == "__main__":
    main()
