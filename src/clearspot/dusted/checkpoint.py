"""Checkpoints: all of a run that resuming or reusing it needs, in a file that cannot run code when loaded."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from clearspot.dusted.model import Dusted
from clearspot.dusted.params import RUN_ONLY, DustedParams
from clearspot.dusted.section import Section
from clearspot.dusted.training import TrainingState
from clearspot.learning.checkpoint_file import CheckpointError, read_checkpoint, require_same_settings, write_checkpoint
from clearspot.learning.kept_checkpoint import KeptCheckpoint

FORMAT: Final = 2


def save_checkpoint(
    path: Path,
    *,
    model: Dusted,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    state: TrainingState,
    params: DustedParams,
    section: Section,
) -> str:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path
        Target.
    model, optimizer, schedule, state
        The run as it stands.
    params, section
        What it was started with.

    Returns
    -------
    SHA-256 of the file, hexadecimal.
    """
    content = {
        "params": params.as_dict(),
        "genes": list(section.genes),
        "data": _fingerprint(section),
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "state": {field.name: getattr(state, field.name) for field in fields(state)},
        "random": torch.get_rng_state(),
    }
    return write_checkpoint(path, content, FORMAT)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a DUSTED checkpoint; see :func:`clearspot.learning.checkpoint_file.read_checkpoint`."""
    return read_checkpoint(path, "DUSTED", FORMAT)


def resume(
    content: dict[str, Any],
    *,
    model: Dusted,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    params: DustedParams,
    section: Section,
) -> TrainingState:
    """Put a run back to where its checkpoint was written; going on gives what the unbroken run would have given.

    Raises
    ------
    CheckpointError
        If settings, genes or counts differ from those of the checkpoint.
    """
    require_same_settings(content, params.as_dict(), RUN_ONLY)
    if content["genes"] != list(section.genes):
        raise CheckpointError("the checkpoint was made with different genes")
    if content["data"] != _fingerprint(section):
        raise CheckpointError("the checkpoint was made with different counts")
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    schedule.load_state_dict(content["schedule"])
    torch.set_rng_state(content["random"])
    state = TrainingState(**content["state"])
    device = model.encoder_outer.device
    state.best_state = {name: tensor.to(device) for name, tensor in state.best_state.items()}
    return state


@torch.no_grad()
def warm_start(content: dict[str, Any], *, model: Dusted, section: Section) -> int:
    """Start from the best weights of another run, also one on another section.

    Weights along the gene axis are matched by gene; genes that the checkpoint has not keep their initial ones. The gene
    attention's network mixes all genes, so it is only taken over where the genes are the same, in the same order.

    Returns
    -------
    Number of genes found in the checkpoint.

    Raises
    ------
    CheckpointError
        If the layers differ in width or number.
    """
    known = {gene: row for row, gene in enumerate(content["genes"])}
    here = torch.tensor([i for i, gene in enumerate(section.genes) if gene in known], dtype=torch.long)
    there = torch.tensor([known[gene] for gene in section.genes if gene in known], dtype=torch.long)
    same_genes = content["genes"] == list(section.genes)
    source: dict[str, Tensor] = content["state"]["best_state"]
    own = model.state_dict()
    parameters = [name for name, _ in model.named_parameters()]
    if set(parameters) - set(source):
        raise CheckpointError(
            "the model of the checkpoint has different layers: likelihood, heads and options must be the same"
        )
    for name in parameters:
        target, given = own[name], source[name].to(own[name].device)
        if name.startswith("gene_attention."):
            if same_genes:
                target.copy_(given)
            continue
        axis = _gene_axis(name)
        expected = list(target.shape)
        if axis is not None:
            expected[axis] = len(content["genes"])
        if list(given.shape) != expected:
            raise CheckpointError(f"{name} is {tuple(given.shape)} in the checkpoint and {tuple(target.shape)} here")
        if axis is None:
            target.copy_(given)
        else:
            target.index_copy_(axis, here.to(target.device), given.index_select(axis, there.to(target.device)))
    return len(here)


def kept_checkpoint(
    folder: Path, sample: str, h5ad: Path, params: DustedParams, warm_start_from: Path | None
) -> KeptCheckpoint:
    """Where a run's checkpoint is kept for another attempt.

    Settings that do not change the model (device, threads, tiles) do not tell runs apart.

    Parameters
    ----------
    folder
        Shared folder, made if absent.
    sample
        Sample name.
    h5ad
        The input file.
    params
        Settings of the run.
    warm_start_from
        Checkpoint that the run starts from, if any.
    """
    return KeptCheckpoint(
        folder,
        sample,
        "dusted",
        file_format=FORMAT,
        inputs=[[h5ad], [] if warm_start_from is None else [warm_start_from]],
        settings={name: value for name, value in params.as_dict().items() if name not in RUN_ONLY},
        progress=_epochs,
    )


def _epochs(path: Path) -> int:
    return int(load_checkpoint(path)["state"]["epoch"])


def _gene_axis(name: str) -> int | None:
    """Axis of a parameter along which the genes lie."""
    if name == "encoder_outer":
        return 0
    if name.startswith("heads.weights."):
        return 1
    return 0 if name.startswith("heads.") else None


def _fingerprint(section: Section) -> dict[str, int]:
    return {
        "spots": section.n_spots,
        "entries": int(section.counts.nnz),
        "counts": int(section.counts.sum(dtype="float64")),
        "edges": int(section.graph.nnz),
    }
