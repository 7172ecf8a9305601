"""Options of the command line of DUSTED, shared by ``clearspot denoise`` and ``bin/dusted_denoise.py``.

Importing this module imports nothing heavy.
"""

from __future__ import annotations

from typing import Final

import click

from clearspot.contract.options import FILE, FOLDER, group, options_of
from clearspot.dusted.params import DustedParams

denoise_options: Final = group(
    options_of(DustedParams),
    click.option("--merge-duplicates", is_flag=True, help="Add up the counts of spots that share a position."),
    click.option(
        "--processes",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Number of processes that share the tiles; with --device cuda, one per GPU.",
    ),
    click.option(
        "--attempt",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Number of this attempt. Each attempt after the first halves the tile size.",
    ),
    click.option("--checkpoint-dir", type=FOLDER, help="Folder in which the checkpoint is kept for a later attempt."),
    click.option("--resume-from", type=FILE, help="Checkpoint of an interrupted run, to resume."),
    click.option("--warm-start-from", type=FILE, help="Checkpoint of another run, to start from its weights."),
)
"""Decorator that gives a click command every option of DUSTED."""
