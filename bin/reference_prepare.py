#!/usr/bin/env python3
"""Rasterise a high-resolution reference into bins, for training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import options_of
from clearspot.diffst.params import DiffstParams
from clearspot.io.options import IMAGE_OPTIONS, OUTS_OPTIONS, SCALE_OPTION
from clearspot.step_script import StepScript, step_command


@step_command("reference")
@OUTS_OPTIONS
@IMAGE_OPTIONS
@click.option(
    "--image-alignment",
    type=click.Path(path_type=Path),
    help="Xenium: image alignment file of Xenium Explorer, which maps pixels of the image to the morphology image.",
)
@SCALE_OPTION
@click.option(
    "--bin-um",
    type=click.FloatRange(min=2, max=50),
    default=16.0,
    show_default=True,
    help="Bin size in µm. Must equal the bin size of the samples' super-resolution.",
)
@options_of(DiffstParams, "image_encoder", "threads")
def main(script: StepScript, outs: Path, **options: Any) -> None:
    """Write SAMPLE.reference.h5ad and SAMPLE.reference.json; --outs may be Visium HD or a Xenium folder.

    With --image, also write SAMPLE.reference.histology.npz, for training on image and counts together.
    """
    from clearspot.diffst.data.reference_file import prepare_reference  # takes seconds to import; --help should not

    options.pop("preset")  # none of them chooses an image encoder

    script.write(prepare_reference(outs, script.outdir, script.sample, **options))


if __name__ == "__main__":
    main()
