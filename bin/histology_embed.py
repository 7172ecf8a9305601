#!/usr/bin/env python3
"""Compute features of the histology image for every bin of the fine grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import FILE, options_of
from clearspot.diffst.params import DiffstParams
from clearspot.io.options import SCALE_OPTION
from clearspot.step_script import StepScript, step_command


@step_command("histology")
@click.option("--h5ad", required=True, type=FILE, help="AnnData file of the sample.")
@click.option("--image", required=True, type=FILE, help="Full-resolution histology image.")
@SCALE_OPTION
@options_of(DiffstParams, "factor", "bin_um", "image_encoder", "threads")
def main(script: StepScript, h5ad: Path, image: Path, **options: Any) -> None:
    """Write SAMPLE.histology.npz and SAMPLE.histology.json."""
    from clearspot.diffst.output.command import embed_file  # torch takes seconds to import; --help should not

    script.show(embed_file(h5ad, image, script.outdir, script.sample, **options))


if __name__ == "__main__":
    main()
