"""The kept checkpoint of a DUSTED run, known by its input, its settings and the checkpoint that it starts from."""

from __future__ import annotations

from pathlib import Path

from clearspot import kept_checkpoint
from clearspot.checkpoint_file import file_sha256
from clearspot.dusted.checkpoint import FORMAT, load_checkpoint
from clearspot.dusted.params import RUN_ONLY, DustedParams


class KeptCheckpoint(kept_checkpoint.KeptCheckpoint):
    """Where a DUSTED run's checkpoint is kept.

    Settings that do not change the model (device, threads, tiles) do not tell runs apart.

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
        made_from = {
            "format": FORMAT,
            "input": file_sha256(h5ad),
            "settings": {name: value for name, value in params.as_dict().items() if name not in RUN_ONLY},
            "warm_start_from": None if warm_start_from is None else file_sha256(warm_start_from),
        }
        super().__init__(folder, sample, "dusted", made_from, _epochs)


def _epochs(path: Path) -> int:
    return int(load_checkpoint(path)["state"]["epoch"])
