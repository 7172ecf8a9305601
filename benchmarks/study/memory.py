"""Memory and time of a study by its number of sections.

``python -m benchmarks.study.memory --folder FOLDER`` simulates sections of 6.5 mm (about 3,300 spots, 18,000 genes) in
FOLDER, integrates the first 3, 6 and 12 of them, each in a process of its own, and writes
``benchmarks/study/memory.csv``. DUSTED is trained for two epochs: more take time, not memory. Sections that FOLDER has
are not simulated again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import click
import pandas as pd
from click.testing import CliRunner

import clearspot
from clearspot import keys
from clearspot.cli import main as clearspot_command
from clearspot.dusted.params import DustedParams
from clearspot.graph.build import build_graph
from clearspot.io.ingest import ingest_outs
from clearspot.learning.memory import peak_memory_bytes
from clearspot.study.params import StudyParams
from clearspot.study.run import integrate_study

RESULTS = Path(__file__).with_name("memory.csv")
EPOCHS = 2


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--sections", "numbers", type=int, multiple=True, default=(3, 6, 12), show_default=True)
@click.option("--width-um", type=int, default=6496, show_default=True)
@click.option("--genes", type=int, default=18000, show_default=True)
@click.option("--one", is_flag=True, hidden=True)
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), default=RESULTS)
def main(folder: Path, numbers: tuple[int, ...], width_um: int, genes: int, one: bool, results: Path) -> None:
    """Measure each number of sections."""
    if one:
        click.echo(json.dumps(_measured(sorted((folder / "sections").glob("*.h5ad"))[: numbers[0]])))
        return
    _simulated(folder, max(numbers), width_um, genes)
    rows = []
    for number in numbers:
        command = [sys.executable, "-m", "benchmarks.study.memory", "--folder", str(folder), "--one"]
        done = subprocess.run([*command, "--sections", str(number)], check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
        click.echo(rows[-1])
        pd.DataFrame(rows).to_csv(results, index=False)


def _measured(files: list[Path]) -> dict[str, float]:
    began = time.process_time()
    result = integrate_study(files, "study", StudyParams(n_domains=7), DustedParams(threads=1, epochs=EPOCHS))
    return {
        "sections": len(files),
        "spots": result.adata.n_obs,
        "genes": result.adata.n_vars,
        "entries": int(result.adata.layers[keys.COUNTS].nnz),
        "epochs": EPOCHS,
        "cpu_seconds": round(time.process_time() - began),
        "peak_mib": round(peak_memory_bytes() / 2**20),
    }


def _simulated(folder: Path, number: int, width_um: int, genes: int) -> None:
    """Write the sections after quality control and the graph."""
    ready = folder / "sections"
    ready.mkdir(parents=True, exist_ok=True)
    if len(list(ready.glob("*.h5ad"))) >= number:
        return
    options = ["--samples", number, "--preset", "section", "--width-um", width_um, "--genes", genes]
    study = ["--study", "study", "--batches", 3, "--batch-sd", 0.3, "--no-image", "--um-per-px", 2]
    done = CliRunner().invoke(clearspot_command, ["simulate", str(folder / "outs"), *map(str, [*options, *study])])
    if done.exit_code != 0:
        raise click.ClickException(done.output)
    sheet = pd.read_csv(folder / "outs" / "samplesheet.csv")
    for row in sheet.itertuples():
        adata, _ = ingest_outs(folder / "outs" / row.spaceranger_dir, row.sample)
        adata.obs[keys.BATCH] = pd.Categorical([row.batch] * adata.n_obs)
        clearspot.qc(adata, sample=row.sample)
        build_graph(adata, row.sample)
        adata.write_h5ad(ready / keys.h5ad_name(row.sample))


if __name__ == "__main__":
    main()
