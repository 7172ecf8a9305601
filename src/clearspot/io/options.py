"""Options of the scripts that read Space Ranger output. Imports nothing but click."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from clearspot.contract.options import group

OUTS_OPTIONS: Final = group(
    click.option(
        "--outs", type=click.Path(path_type=Path), required=True, help="Space Ranger output: a folder or an archive."
    ),
    click.option("--bin-size-um", type=click.IntRange(min=1), help="Visium HD: bins to read, in µm.  [default: 8]"),
)

UNIT_OPTION: Final = click.option(
    "--unit",
    type=click.Choice(["bins", "cells"]),
    default="bins",
    show_default=True,
    help="Visium HD: read bins, or the cells that Space Ranger 4 segmented.",
)

SCALE_OPTION: Final = click.option(
    "--microns-per-pixel",
    type=click.FloatRange(min=0, min_open=True),
    help="Size of a full-resolution pixel in µm.  [default: from positions and scale factors]",
)

IMAGE_OPTIONS: Final = group(
    click.option("--image", type=click.Path(path_type=Path), help="Full-resolution histology image."),
    click.option(
        "--allow-lowres-image", is_flag=True, help="Accept an image smaller than the one the positions refer to."
    ),
)
