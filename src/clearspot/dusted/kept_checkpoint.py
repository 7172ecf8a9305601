"""A checkpoint in a folder that outlives one attempt at a task, found again by what it was made from."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from pickle import UnpicklingError

from clearspot import __version__
from clearspot.dusted.checkpoint import FORMAT, CheckpointError, file_sha256, load_checkpoint
from clearspot.dusted.params import RUN_ONLY, DustedParams
from clearspot.io.atomic import atomic_path


class KeptCheckpoint:
    """Where a run's checkpoint is kept, by sample and by a hash of input, settings and program version.

    A workflow gives every attempt a folder of its own; a run that lost its machine is only found again in a place that
    both attempts know. Settings that do not change the model (device, threads, tiles) are not part of the hash.

    Parameters
    ----------
    folder
        Shared folder, made if absent.
    sample
        Sample name.
    h5ad
        The input file; its content counts, not its name.
    params
        Settings of the run.
    warm_start_from
        Checkpoint that the run starts from, if any.
    """

    def __init__(self, folder: Path, sample: str, h5ad: Path, params: DustedParams, warm_start_from: Path | None):
        content = {
            "format": FORMAT,
            "clearspot": __version__,
            "input": file_sha256(h5ad),
            "settings": {name: value for name, value in params.as_dict().items() if name not in RUN_ONLY},
            "warm_start_from": None if warm_start_from is None else file_sha256(warm_start_from),
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{sample}.{digest[:16]}.dusted.pt"

    def found(self) -> int | None:
        """Epochs that the kept checkpoint has behind it; ``None`` without one that can be read."""
        if not self.path.is_file():
            return None
        try:
            return int(load_checkpoint(self.path)["state"]["epoch"])
        except (CheckpointError, UnpicklingError, RuntimeError, EOFError, OSError) as error:
            print(f"{self.path} cannot be read and is not used: {error}", file=sys.stderr)
            return None

    def copy_to(self, target: Path) -> None:
        """Copy the finished run's checkpoint to where results go."""
        with atomic_path(target) as partial:
            shutil.copyfile(self.path, partial)

    def remove(self) -> None:
        """Forget the run once all its results are written."""
        self.path.unlink(missing_ok=True)
