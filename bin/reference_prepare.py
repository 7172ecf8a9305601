#!/usr/bin/env python3
"""Lay a reference of high resolution onto bins, for the training of every sample."""

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
    help="Xenium: image alignment file of Xenium Explorer, from pixels of the image to those of the morphology image.",
)
@SCALE_OPTION
@click.option(
    "--bin-um",
    type=click.FloatRange(min=2, max=50),
    default=16.0,
    show_default=True,
    help="Side of a bin in µm, as that of the samples' super-resolution.",
)
@options_of(DiffstParams, "image_encoder", "threads")
def main(script: StepScript, outs: Path, **options: Any) -> None:
    """Write SAMPLE.reference.h5ad and SAMPLE.reference.json; --outs may be Visium HD or a Xenium folder.

    With --image also SAMPLE.reference.histology.npz, for bins that learn from image and counts together.
    """
    from clearspot.diffst.data.reference_file import prepare_reference  # takes seconds to import; --help should not

    options.pop("preset")  # none of them chooses an image encoder

    script.write(prepare_reference(outs, script.outdir, script.sample, **options))


if __name__ == "__main__":
    main()
