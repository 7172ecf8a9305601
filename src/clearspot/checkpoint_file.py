"""Checkpoint files: what every kind of model has in common in writing, reading and knowing them again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import torch

from clearspot import __version__
from clearspot.io.atomic import atomic_path


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
        raise CheckpointError(f"{path.name} is no {kind} checkpoint of format {file_format}")
    return content


def differing_settings(content: dict[str, Any], settings: dict[str, Any], but: frozenset[str]) -> list[str]:
    """Names of the settings that a checkpoint was made with otherwise than this run.

    Parameters
    ----------
    content
        With an entry ``params``.
    settings
        Of this run.
    but
        Settings that may differ.
    """
    made_with = content["params"]
    return [
        name for name, value in settings.items() if name not in but and _plain(value) != _plain(made_with.get(name))
    ]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
