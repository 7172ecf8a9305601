"""Options of the scripts that read Space Ranger output. Imports nothing but click."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from clearspot.contract.options import group

OUTS_OPTIONS: Final = group(
    click.option(
        "--outs",
        type=click.Path(path_type=Path),
        required=True,
        help="Space Ranger output folder, or an archive of it.",
    ),
    click.option("--bin-size-um", type=click.IntRange(min=1), help="Visium HD: bin size to read, in µm.  [default: 8]"),
)

UNIT_OPTION: Final = click.option(
    "--unit",
    type=click.Choice(["bins", "cells"]),
    default="bins",
    show_default=True,
    help="Visium HD: read bins, or cells segmented by Space Ranger 4.",
)

SCALE_OPTION: Final = click.option(
    "--microns-per-pixel",
    type=click.FloatRange(min=0, min_open=True),
    help="Size of a full-resolution pixel in µm.  [default: computed from positions and scale factors]",
)

IMAGE_OPTIONS: Final = group(
    click.option("--image", type=click.Path(path_type=Path), help="Full-resolution histology image."),
    click.option(
        "--allow-lowres-image",
        is_flag=True,
        help="Accept an image of lower resolution than the one used by Space Ranger.",
    ),
)

STUDY_OPTIONS: Final = group(
    click.option("--study", help="Study that the section belongs to."),
    click.option("--batch", help="Batch in which the section was processed."),
    click.option("--donor", help="Donor of the tissue."),
    click.option("--condition", help="Condition of the donor or of the tissue."),
)
