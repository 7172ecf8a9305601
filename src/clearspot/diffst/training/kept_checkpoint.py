"""The kept checkpoint of a Diff-ST training, known by its inputs and settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clearspot.checkpoint_file import file_sha256
from clearspot.diffst.data.reference import XENIUM_FILES
from clearspot.diffst.params import RUN_ONLY, DiffstParams
from clearspot.diffst.training.checkpoint import FORMAT, load_checkpoint
from clearspot.kept_checkpoint import KeptCheckpoint


class DiffstKept(KeptCheckpoint):
    """Where a Diff-ST training's checkpoint is kept.

    Settings that do not change training (device, threads, those of sampling) do not tell runs apart.

    Parameters
    ----------
    folder
        Shared folder, made if absent.
    sample
        Sample name.
    inputs
        Section, histology features and references; their content counts, not their names. ``None`` for what is absent.
    params
        Settings of the run.
    microns_per_pixel
        What overrides the section's own scale, if anything.
    """

    def __init__(
        self,
        folder: Path,
        sample: str,
        inputs: Sequence[Path | None],
        params: DiffstParams,
        microns_per_pixel: float | None,
    ):
        made_from = {
            "format": FORMAT,
            "inputs": [None if path is None else _hashes(path) for path in inputs],
            "settings": {name: value for name, value in params.as_dict().items() if name not in RUN_ONLY},
            "microns_per_pixel": microns_per_pixel,
        }
        super().__init__(folder, sample, "diffst", made_from, _steps)


def _hashes(path: Path) -> list[str]:
    """Of a file, or of what is read of a Xenium folder."""
    files = [path / name for name in XENIUM_FILES] if path.is_dir() else [path]
    return [file_sha256(file) for file in files if file.exists()]


def _steps(path: Path) -> int:
    return sum(int(phase["step"]) for phase in load_checkpoint(path)["phases"].values())
