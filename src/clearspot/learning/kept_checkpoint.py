"""A checkpoint in a folder that outlives one attempt at a task, found again by what it was made from."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from clearspot.io.atomic import atomic_path
from clearspot.learning.checkpoint_file import file_sha256
from clearspot.release import __version__


class KeptCheckpoint:
    """Where a run's checkpoint is kept, by sample and by a hash of what it is made from and the program's version.

    A workflow gives every attempt a folder of its own; a run that lost its machine is only found again in a place that
    both attempts know.

    Parameters
    ----------
    folder
        Shared folder, made if absent.
    sample
        Sample name.
    kind
        Of model, the file's suffix: ``dusted`` or ``diffst``.
    file_format
        Number of the layout of the checkpoint.
    inputs
        What the run reads, each the files that count; runs are compared by content, not by name.
    settings
        Settings that decide what the model becomes.
    progress
        Reads a checkpoint and returns how many steps of training it has behind it. A function of a module,
        because other processes are given it.
    """

    def __init__(
        self,
        folder: Path,
        sample: str,
        kind: str,
        *,
        file_format: int,
        inputs: Sequence[Sequence[Path]],
        settings: Mapping[str, Any],
        progress: Callable[[Path], int],
    ):
        made_from = {
            "clearspot": __version__,
            "format": file_format,
            "inputs": [[file_sha256(file) for file in files] for files in inputs],
            "settings": dict(settings),
        }
        digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{sample}.{digest[:16]}.{kind}.pt"
        self._progress = progress

    def found(self) -> int | None:
        """Steps that the kept checkpoint has behind it; ``None`` without one that can be read."""
        if not self.path.is_file():
            return None
        try:
            return self._progress(self.path)
        except (ValueError, UnpicklingError, RuntimeError, EOFError, OSError) as error:
            print(f"{self.path} cannot be read and was ignored: {error}", file=sys.stderr)
            return None

    def copy_to(self, target: Path) -> None:
        """Copy the finished run's checkpoint to where results go."""
        with atomic_path(target) as partial:
            shutil.copyfile(self.path, partial)

    def remove(self) -> None:
        """Forget the run once all its results are written."""
        self.path.unlink(missing_ok=True)
