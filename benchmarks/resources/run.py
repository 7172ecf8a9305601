"""Measure what each process of the pipeline needs, for sections of several sizes.

`python benchmarks/resources/run.py` simulates a section of each size, runs the pipeline over it, one task at a time,
and adds one row a task to results.csv. A size that is there already is not measured again. `--sizes 1k 3k` measures
these only; without `--sizes`, the sections of 2,000 genes are measured, which take minutes. The slides of 18,000 genes
(slide27k ... slide520k) take up to an hour of CPU time and 10 GB of disk in `--folder`; a run that was interrupted
there is resumed, and `--unfinished` adds the tasks that it has. Without super-resolution, as by default.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

HERE = Path(__file__).parent
REPO = HERE.parents[1]
RESULTS = HERE / "results.csv"
COLUMNS = ("size", "n_spots", "n_genes", "n_entries", "process", "cpu_seconds", "peak_mb", "epochs", "training_seconds")
LAST = "COHORT_REPORT"
"""A size without it is measured again."""

ONE_AT_A_TIME = """
trace.raw = true
executor.cpus = 1
process.resourceLimits = [cpus: 1, memory: 12.GB, time: 8.h]
"""


@dataclass(frozen=True)
class Size:
    """A simulated section: its side in micrometres, and how it is measured."""

    name: str
    chemistry: str
    width_um: int
    genes: int = 2000
    tissue_width: float | None = None
    bin_um: int | None = None
    epochs: int | None = 10
    """Most epochs of DUSTED; `None`: as many as by default."""

    @property
    def whole(self) -> bool:
        """Whether it is a slide as labs have them: all genes, an image of 0.5 um per pixel."""
        return self.genes > 2000

    def simulation(self) -> list[str]:
        """Options of `clearspot simulate`."""
        options = ["--preset", "section", "--chemistry", self.chemistry, "--width-um", str(self.width_um)]
        options += ["--genes", str(self.genes)]
        options += [] if self.tissue_width is None else ["--tissue-width", str(self.tissue_width)]
        return options if self.whole else [*options, "--um-per-px", "2", "--no-image"]


SIZES = (
    Size("1k", "v1", 3400),
    Size("3k", "v1", 6496),
    Size("10k", "hd", 896),
    Size("40k", "hd", 1792),
    Size("slide27k", "hd", 1600, 18000),
    Size("slide109k", "hd", 3200, 18000),
    Size("slide250k", "hd", 4864, 18000),
    Size("slide520k", "hd", 6496, 18000, tissue_width=0.94, epochs=None),
    Size("slide520k-16um", "hd", 6496, 18000, tissue_width=0.94, bin_um=16),
)


def environment() -> dict[str, str]:
    """Tasks find this environment's programs, one thread each."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "NXF_OFFLINE": "true", "NXF_ANSI_LOG": "false", "OMP_NUM_THREADS": "1"}


def measure(size: Size, folder: Path) -> None:
    """Simulate and run one size."""
    sheet = folder / "samplesheet.csv"
    if not sheet.exists():  # a folder with the sample in it may be given
        subprocess.run(["clearspot", "simulate", str(folder), *size.simulation()], env=environment(), check=True)
        shutil.rmtree(folder / "phantom_1/truth")
    if size.bin_um is not None:
        sheet.write_text(sheet.read_text().replace(",8\n", f",{size.bin_um}\n"))
    (folder / "one.config").write_text(ONE_AT_A_TIME)
    launch = [str(REPO / "tools/nextflow/launch"), "-c", str(folder / "one.config"), "run", str(REPO)]
    launch += ["--input", str(folder / "samplesheet.csv"), "--outdir", str(folder / "results")]
    launch += ["--publish_dir_mode", "link"]
    launch += [] if size.epochs is None else ["--dusted_epochs", str(size.epochs)]
    launch += ["-resume"] if (folder / ".nextflow").exists() else []
    launch += [] if size.whole else ["--qc_min_counts", "1", "--qc_min_genes", "1"]
    subprocess.run(launch, cwd=folder, env=environment(), check=True)


def rows_of(size: Size, folder: Path) -> list[dict[str, object]]:
    """One row a task of the last run in a folder."""
    records = {path.name.split(".")[-2]: path for path in folder.glob("work/*/*/**/phantom_1.*.json")}
    facts = json.loads(records["check"].read_text())["metrics"]
    dusted = json.loads(records["dusted"].read_text())["metrics"] if "dusted" in records else {}
    trace = max((folder / "results/pipeline_info").glob("execution_trace_*.txt"), key=lambda path: path.stat().st_mtime)
    rows = []
    for task in csv.DictReader(trace.open(), delimiter="\t"):
        if task["status"] not in ("COMPLETED", "CACHED"):
            continue
        is_dusted = "DUSTED" in task["process"]
        # of a machine that does other things too, the time on the clock says little
        cores = float(task["%cpu"]) / 100
        rows.append(
            {
                "size": size.name,
                **{name: facts[name] for name in ("n_spots", "n_genes", "n_entries")},
                "process": task["process"].split(":")[-1],
                "cpu_seconds": round(float(task["realtime"]) / 1000 * cores, 1),
                "peak_mb": round(float(task["peak_rss"]) / 1e6),
                "epochs": dusted["epochs"] if is_dusted else "",
                "training_seconds": round(dusted["seconds_training"] * cores, 1) if is_dusted else "",
            }
        )
    return rows


def main() -> None:
    """Measure what is not measured yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=[size.name for size in SIZES if not size.whole])
    parser.add_argument("--folder", type=Path, help="where samples and results are kept; default: nowhere")
    parser.add_argument("--unfinished", action="store_true", help="run nothing: add what runs in the folder have")
    options = parser.parse_args()
    known = list(csv.DictReader(RESULTS.open())) if RESULTS.exists() else []
    done = {row["size"] for row in known if row["process"] == LAST}
    for size in SIZES:
        if size.name in done or size.name not in options.sizes:
            continue
        folder = Path(mkdtemp(prefix=f"resources-{size.name}-"))
        if options.folder is not None:
            folder.rmdir()
            folder = options.folder / size.name
            folder.mkdir(parents=True, exist_ok=True)
        if not options.unfinished:
            measure(size, folder.resolve())
        known = [row for row in known if row["size"] != size.name] + rows_of(size, folder.resolve())
        with RESULTS.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(known)
        if options.folder is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
