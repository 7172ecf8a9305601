"""Checkpoints: a model, its programs, and where training stands, in a file that cannot run code when loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.reference import XENIUM_FILES
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import ARCHITECTURE, RUN_ONLY, DiffstParams
from clearspot.diffst.training.stages import Phase
from clearspot.learning.checkpoint_file import CheckpointError, read_checkpoint, require_same_settings, write_checkpoint
from clearspot.learning.kept_checkpoint import KeptCheckpoint

FORMAT: Final = 6


def save_checkpoint(
    path: Path,
    *,
    model: DiffstModel,
    programs: Programs,
    params: DiffstParams,
    phases: dict[str, Phase] | None = None,
    fingerprint: dict[str, Any],
    results: dict[str, Any] | None = None,
    card: dict[str, Any] | None = None,
) -> str:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path
        Target.
    model, programs, params
        What is needed to use it.
    phases
        Where the training stands, to resume it.
    fingerprint
        Of the data that it was trained on.
    results
        Plain values that belong to a finished model: the verdict, loss curves.
    card
        What it learned from, see :mod:`clearspot.diffst.training.model_card`; None: from one section alone.

    Returns
    -------
    SHA-256 of the file, hexadecimal.
    """
    content = {
        "params": params.as_dict(),
        "genes": list(programs.genes),
        "loadings": torch.from_numpy(programs.loadings),
        "sizes": {
            "image_channels": model.image_channels,
            "pixels_per_bin": model.pixels_per_bin,
            "bin_um": model.bin_um,
            "image_encoder": model.image_encoder,
            "head_genes": list(model.head_genes),
        },
        "card": card or {},
        "model": model.state_dict(),
        "phases": {name: phase.state() for name, phase in (phases or {}).items()},
        "fingerprint": fingerprint,
        "results": results or {},
    }
    return write_checkpoint(path, content, FORMAT)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a Diff-ST checkpoint; see :func:`clearspot.learning.checkpoint_file.read_checkpoint`."""
    return read_checkpoint(path, "Diff-ST", FORMAT, ("loadings",))


def model_of(content: dict[str, Any], params: DiffstParams) -> tuple[DiffstModel, Programs, DiffstParams]:
    """Rebuild the model of a checkpoint.

    Parameters
    ----------
    content
        What :func:`load_checkpoint` gave.
    params
        Settings of this run; what the model is built by is taken from the checkpoint.
    """
    known = {name: content["params"][name] for name in ARCHITECTURE}
    params = replace(params, **known)
    sizes = content["sizes"]
    model = DiffstModel(
        len(content["loadings"]),
        sizes["image_channels"],
        params,
        pixels_per_bin=sizes["pixels_per_bin"],
        bin_um=sizes["bin_um"],
        image_encoder=sizes["image_encoder"],
        head_genes=sizes["head_genes"],
    )
    model.load_state_dict(content["model"])
    model.eval()
    return model, Programs(tuple(content["genes"]), content["loadings"].numpy().astype(np.float32)), params


def check_same_run(content: dict[str, Any], params: DiffstParams, fingerprint: dict[str, Any]) -> None:
    """Refuse to resume a run with other settings or data.

    Raises
    ------
    CheckpointError
        If something differs.
    """
    require_same_settings(content, params.as_dict(), RUN_ONLY)
    if content["fingerprint"] != fingerprint:
        raise CheckpointError("the checkpoint was made with different data")


def kept_checkpoint(
    folder: Path,
    sample: str,
    inputs: Sequence[Path | None],
    params: DiffstParams,
    *,
    microns_per_pixel: float | None,
) -> KeptCheckpoint:
    """Where a training's checkpoint is kept for another attempt.

    Settings that do not change training (device, threads, those of sampling) do not tell runs apart.

    Parameters
    ----------
    folder
        Shared folder, made if absent.
    sample
        Sample name.
    inputs
        Section, histology features and references; ``None`` for what is absent.
    params
        Settings of the run.
    microns_per_pixel
        What overrides the section's own scale, if anything.
    """
    settings = {name: value for name, value in params.as_dict().items() if name not in RUN_ONLY}
    return KeptCheckpoint(
        folder,
        sample,
        "diffst",
        file_format=FORMAT,
        inputs=[[] if path is None else _files(path) for path in inputs],
        settings=settings | {"microns_per_pixel": microns_per_pixel},
        progress=_steps,
    )


def _steps(path: Path) -> int:
    return sum(int(phase["step"]) for phase in load_checkpoint(path)["phases"].values())


def _files(path: Path) -> list[Path]:
    """The file itself, or what is read of a Xenium folder."""
    files = [path / name for name in XENIUM_FILES] if path.is_dir() else [path]
    return [file for file in files if file.exists()]
