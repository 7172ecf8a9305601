"""Measure DUSTED's training against a straightforward PyTorch Geometric version of the same equations.

Each variant trains in a process of its own, with the C library's allocator as it is and tuned. Results go to
``results.md`` and ``results.json`` beside this file.

    python benchmarks/dusted_speed/run.py --epochs 50
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import anndata as ad
import numpy as np
import scanpy as sc
import torch

from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.params import DustedParams
from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams

HERE = Path(__file__).resolve().parent
SECTION = HERE.parents[2] / "shared" / "data" / "dlpfc" / "151673.h5ad"
TUNED = {"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "4294967296", "MALLOC_ARENA_MAX": "1"}
NAMES = {
    "yardstick": "straightforward PyTorch Geometric",
    "fp32": "clearspot, fp32",
    "bf16": "clearspot, bf16 products",
    "compiled": "clearspot, fp32, torch.compile",
}


def prepare(path: Path) -> str:
    """Counts of 3,000 highly variable genes and the graph, as the paper's notebook takes them."""
    adata = ad.read_h5ad(SECTION)
    adata = adata[:, np.asarray(adata.X.sum(axis=0)).ravel() > 100].copy()
    sc.pp.highly_variable_genes(adata, n_top_genes=3000, flavor="seurat_v3")
    adata.layers["counts"] = adata.X.copy()
    build_graph(adata, "151673", GraphParams())
    section = read_section(adata, "151673", DustedParams.preset("paper", size_factor_key="sum_umi_all_genes")).section
    np.savez(
        path,
        data=section.counts.data,
        indices=section.counts.indices,
        indptr=section.counts.indptr,
        shape=section.counts.shape,
        graph_indices=section.graph.indices,
        graph_indptr=section.graph.indptr,
        input_scale=section.input_scale,
        size_factor=section.size_factor,
        genes=np.array(section.genes),
    )
    density = section.counts.nnz / np.prod(section.counts.shape)
    return f"{section.n_spots:,} spots x {section.n_genes:,} genes, {density:.1%} above zero"


def measure(data: Path, variant: str, tuned: bool, epochs: int, threads: int) -> dict:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    environment |= {"OMP_NUM_THREADS": str(threads)} | (TUNED if tuned else {})
    command = [sys.executable, str(HERE / "measure.py"), str(data), variant]
    command += ["--epochs", str(epochs), "--threads", str(threads)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table(results: dict[str, dict], facts: dict) -> str:
    first, second = results["yardstick, default"], results["yardstick, tuned"]
    lines = [
        "# Training speed of DUSTED",
        "",
        f"{facts['data']}; ZINB, widths 512 and 30, full batch; {facts['epochs']} epochs, {facts['threads']} threads; "
        f"{facts['cpu']}; PyTorch {facts['torch']}; load average {facts['load']} at the end. "
        "Seconds are medians over epochs. CPU time is what to compare: wall time depends on what else runs.",
        "",
        "| variant | allocator | CPU s | wall s | peak GB | times less CPU than the yardstick, default / tuned |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for key, found in results.items():
        variant, allocator = key.split(", ")
        ratios = f"{first['cpu'] / found['cpu']:.1f} / {second['cpu'] / found['cpu']:.1f}"
        times = f"{found['cpu']:.2f} | {found['wall']:.2f} | {found['peak_bytes'] / 1e9:.2f}"
        lines.append(f"| {NAMES[variant]} | {allocator} | {times} | {ratios} |")
    lines += [
        "",
        "## Same loss",
        "",
        "| variant | largest relative difference to the yardstick's loss |",
        "| --- | --- |",
    ]
    reference = np.array(first["loss"])
    for key, found in results.items():
        difference = np.abs(np.array(found["loss"]) / reference - 1).max()
        lines.append(f"| {NAMES[key.split(', ')[0]]}, {key.split(', ')[1]} | {difference:.1e} |")
    shown = ["yardstick, default", "fp32, default", "bf16, default"]
    lines += [
        "",
        "## Where the time goes",
        "",
        "| kind | " + " | ".join(NAMES[key.split(", ")[0]] for key in shown) + " |",
    ]
    lines.append("| --- |" + " --- |" * len(shown))
    for group in first["profile"]:
        lines.append(f"| {group} | " + " | ".join(f"{results[key]['profile'][group]:.0%}" for key in shown) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--variants", nargs="+", default=list(NAMES), choices=list(NAMES))
    arguments = parser.parse_args()
    results = {}
    with TemporaryDirectory() as folder:
        data = Path(folder) / "section.npz"
        facts = {"data": prepare(data)}
        for variant in arguments.variants:
            for allocator in ("default", "tuned"):
                key = f"{variant}, {allocator}"
                results[key] = measure(data, variant, allocator == "tuned", arguments.epochs, arguments.threads)
                print(key, {name: results[key][name] for name in ("cpu", "wall", "peak_bytes")}, flush=True)
    facts |= {
        "epochs": arguments.epochs,
        "threads": arguments.threads,
        "cpu": _processor(),
        "torch": torch.__version__,
        "load": f"{os.getloadavg()[0]:.1f}",
    }
    (HERE / "results.json").write_text(json.dumps({"facts": facts, "results": results}, indent=1) + "\n")
    (HERE / "results.md").write_text(table(results, facts))
    print(table(results, facts))


def _processor() -> str:
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    name = str(capabilities.get("cpu_name") or platform.processor())
    fast = [flag for flag in ("amx_bf16", "avx512_bf16") if capabilities.get(flag)]
    return f"{name} ({', '.join(fast) or 'no bf16 units'})"


if __name__ == "__main__":
    main()
