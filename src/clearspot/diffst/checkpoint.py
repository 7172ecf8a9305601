"""Checkpoints: a model, its programs, and where training stands, in a file that cannot run code when loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from zipfile import is_zipfile

import numpy as np
import torch

from clearspot import __version__
from clearspot.diffst.model import DiffstModel
from clearspot.diffst.params import ARCHITECTURE, RUN_ONLY, DiffstParams
from clearspot.diffst.programs import Programs
from clearspot.diffst.training import Phase
from clearspot.dusted.checkpoint import CheckpointError, file_sha256
from clearspot.io.atomic import atomic_path

FORMAT: Final = 1


def save_checkpoint(
    path: Path,
    *,
    model: DiffstModel,
    programs: Programs,
    params: DiffstParams,
    image_channels: int,
    phases: dict[str, Phase] | None = None,
    fingerprint: dict[str, Any],
    results: dict[str, Any] | None = None,
) -> str:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path
        Target.
    model, programs, params, image_channels
        What is needed to use it.
    phases
        Where the training stands, to resume it.
    fingerprint
        Of the data that it was trained on.
    results
        Plain values that belong to a finished model: the verdict, loss curves.

    Returns
    -------
    SHA-256 of the file, hexadecimal.
    """
    content = {
        "format": FORMAT,
        "clearspot": __version__,
        "params": {
            name: list(value) if isinstance(value, tuple) else value for name, value in params.as_dict().items()
        },
        "genes": list(programs.genes),
        "loadings": torch.from_numpy(programs.loadings),
        "image_channels": image_channels,
        "model": model.state_dict(),
        "phases": {name: phase.state() for name, phase in (phases or {}).items()},
        "fingerprint": fingerprint,
        "results": results or {},
    }
    with atomic_path(path) as partial:
        torch.save(content, partial)
        return file_sha256(partial)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU: tensors and plain values only, no code.

    Raises
    ------
    CheckpointError
        If it is of another format.
    """
    # on a file that is no archive PyTorch falls back to its old format, whose reader fails with whatever it trips over
    content = torch.load(path, map_location="cpu", weights_only=True) if is_zipfile(path) else None
    if not isinstance(content, dict) or content.get("format") != FORMAT or "loadings" not in content:
        raise CheckpointError(f"{path.name} is no Diff-ST checkpoint of format {FORMAT}")
    return content


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
    model = DiffstModel(len(content["loadings"]), content["image_channels"], params)
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
    for name, value in params.as_dict().items():
        value = list(value) if isinstance(value, tuple) else value
        if name not in RUN_ONLY and content["params"].get(name) != value:
            raise CheckpointError(f"the checkpoint was made with another {name}: {content['params'].get(name)!r}")
    if content["fingerprint"] != fingerprint:
        raise CheckpointError("the checkpoint was made with other data")
