"""Train one variant in a process of its own and print what it took, as JSON."""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
from yardstick import Yardstick, zinb_loss

from clearspot.dusted.model import build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section
from clearspot.dusted.tiles import make_tiles
from clearspot.dusted.training import new_optimizer

CPU = torch.device("cpu")
PAPER = DustedParams.preset("paper")

GROUPS = {
    "dense products": ("aten::mm", "aten::addmm", "mkldnn::", "aten::bmm", "aten::mv", "aten::dot"),
    "gather, scatter, sparse": ("index", "scatter", "gather", "sparse", "aten::_softmax"),
    "lgamma, digamma": ("lgamma", "digamma"),
    "optimiser, clipping": ("adam", "_foreach", "linalg_vector_norm"),
    "exp, log, sigmoid": ("exp", "log", "sigmoid", "softplus", "pow", "elu"),
}


def load(path: Path) -> Section:
    with np.load(path, allow_pickle=False) as f:
        counts = sp.csr_matrix((f["data"], f["indices"], f["indptr"]), shape=tuple(f["shape"]))
        n = counts.shape[0]
        graph = sp.csr_matrix((np.ones(len(f["graph_indices"])), f["graph_indices"], f["graph_indptr"]), shape=(n, n))
        return Section(counts, f["input_scale"], f["size_factor"], graph, None, tuple(f["genes"]))


def yardstick_epoch(section: Section, device: torch.device = CPU) -> Callable[[], float]:
    model = Yardstick(section.n_genes)
    model.take_weights(build_model(section, PAPER, torch.float32).state_dict())
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=PAPER.lr, weight_decay=PAPER.weight_decay)
    x = torch.from_numpy(section.expression(slice(None)).toarray()).to(device)
    counts = torch.from_numpy(section.counts.toarray()).to(device)
    looped = (section.graph + sp.identity(section.n_spots)).tocoo()
    edges = torch.from_numpy(np.stack([looped.col, looped.row]).astype(np.int64)).to(device)
    size = torch.from_numpy(section.size_factor).to(device)

    def epoch() -> float:
        optimizer.zero_grad()
        loss = zinb_loss(counts, *model(x, edges, size))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), PAPER.clip_norm)
        optimizer.step()
        return loss.item()

    return epoch


def clearspot_epoch(
    section: Section, compute: torch.dtype, compiled: bool, device: torch.device = CPU
) -> Callable[[], float]:
    params = replace(PAPER, compile=compiled)
    model = build_model(section, params, compute).to(device)
    optimizer = new_optimizer(model, params)
    objective = Objective(section, make_tiles(section.graph, None, section.n_spots), params, device, compute)

    def epoch() -> float:
        optimizer.zero_grad(set_to_none=False)
        loss, _ = objective.backward(model, 0)
        torch.nn.utils.clip_grad_norm_(model.parameters(), params.clip_norm)
        optimizer.step()
        return loss

    return epoch


def profile(epoch: Callable[[], float]) -> dict[str, float]:
    """Share of one epoch's operator time by kind of operator."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as found:
        epoch()
    seconds = dict.fromkeys([*GROUPS, "other element-wise and copies"], 0.0)
    for event in found.key_averages():
        name = event.key.lower()
        group = next((g for g, marks in GROUPS.items() if any(mark in name for mark in marks)), None)
        seconds[group or "other element-wise and copies"] += event.self_cpu_time_total / 1e6
    total = sum(seconds.values())
    return {group: value / total for group, value in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("variant", choices=["yardstick", "fp32", "bf16", "compiled"])
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    section = load(arguments.data)
    if arguments.variant == "yardstick":
        epoch = yardstick_epoch(section)
    else:
        compute = torch.bfloat16 if arguments.variant == "bf16" else torch.float32
        epoch = clearspot_epoch(section, compute, arguments.variant == "compiled")
    losses, wall, cpu = [], [], []
    for _ in range(arguments.epochs):
        began = time.perf_counter(), time.process_time()
        losses.append(epoch())
        wall.append(time.perf_counter() - began[0])
        cpu.append(time.process_time() - began[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    measured = slice(min(2, arguments.epochs - 1), None)
    result = {
        "wall": statistics.median(wall[measured]),
        "cpu": statistics.median(cpu[measured]),
        "cpu_least": min(cpu[measured]),
        "peak_bytes": peak,
        "loss": losses,
        "profile": profile(epoch),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
