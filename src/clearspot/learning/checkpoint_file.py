"""Checkpoint files: what every kind of model has in common in writing, reading and refusing them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch

from clearspot.errors import BadInputError, Problem
from clearspot.io.atomic import atomic_path
from clearspot.release import __version__


class CheckpointError(ValueError):
    """A checkpoint that does not belong to this run."""


def write_checkpoint(path: Path, content: dict[str, Any], file_format: int) -> str:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path
        Target.
    content
        Tensors and plain values.
    file_format
        Number of the layout of ``content``.

    Returns
    -------
    SHA-256 of the file, hexadecimal.
    """
    with atomic_path(path) as partial:
        torch.save({"format": file_format, "clearspot": __version__} | content, partial)
        return file_sha256(partial)


def read_checkpoint(path: Path, kind: str, file_format: int, parts: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read a checkpoint onto the CPU: tensors and plain values only, no code.

    Parameters
    ----------
    path
        The file.
    kind
        What it should be of, for the message: ``DUSTED`` or ``Diff-ST``.
    file_format
        Number of the layout that can be read.
    parts
        Entries that tell this kind from others.

    Raises
    ------
    CheckpointError
        If it is of another kind or format.
    """
    # on a file that is no archive PyTorch falls back to its old format, whose reader fails with whatever it trips over
    content = torch.load(path, map_location="cpu", weights_only=True) if is_zipfile(path) else None
    if not isinstance(content, dict) or content.get("format") != file_format or not content.keys() >= set(parts):
        raise CheckpointError(f"{path.name} is not a {kind} checkpoint of format {file_format}")
    return content


def require_same_settings(content: dict[str, Any], settings: dict[str, Any], but: frozenset[str]) -> None:
    """Refuse a checkpoint that was made with other settings than this run.

    Parameters
    ----------
    content
        With an entry ``params``.
    settings
        Of this run.
    but
        Settings that may differ.

    Raises
    ------
    CheckpointError
        If one differs; the message names all that do.
    """
    made_with = content["params"]
    differing = [
        name for name, value in settings.items() if name not in but and _plain(value) != _plain(made_with.get(name))
    ]
    if differing:
        raise CheckpointError(f"the checkpoint was made with different settings: {', '.join(differing)}")


@contextmanager
def refused_checkpoints(sample: str, path: Path | None) -> Iterator[None]:
    """Turn a :class:`CheckpointError` into a message for the user.

    Parameters
    ----------
    sample
        Sample name.
    path
        The checkpoint.

    Raises
    ------
    BadInputError
        If the checkpoint does not belong to this run.
    """
    try:
        yield
    except CheckpointError as error:
        mend = "Use the checkpoint with its original settings and data, or leave it out."
        name = path.name if path is not None else "checkpoint"
        raise BadInputError(Problem(sample, name, str(error), "a matching checkpoint", mend)) from error


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
