#!/usr/bin/env python3
"""Sample the super-resolved expression of one sample with a trained Diff-ST model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import FILE, FOLDER, options_of
from clearspot.diffst.options import INPUT_OPTIONS, RUN_FIELDS, SECTION_FIELDS
from clearspot.diffst.params import DiffstParams
from clearspot.io.options import SCALE_OPTION
from clearspot.step_script import StepScript, step_command

FIELDS = ("diffusion", "projection", "samples", "evaluations", "tile", "gene_chunk")


@step_command("superres")
@INPUT_OPTIONS
@click.option("--checkpoint", required=True, type=FILE, help="Trained model.")
@SCALE_OPTION
@options_of(DiffstParams, *SECTION_FIELDS, *FIELDS, *RUN_FIELDS)
@click.option("--draws", type=FOLDER, help="Folder in which an interrupted run keeps its samples.")
@click.option(
    "--ome-tiff", is_flag=True, help="Write superres_maps/SAMPLE.superres.ome.tif, with one channel per gene."
)
def main(script: StepScript, h5ad: Path, histology: Path | None, checkpoint: Path, **options: Any) -> None:
    """Write SAMPLE.superres.h5ad and SAMPLE.superres.json."""
    from clearspot.diffst.output.command import sample_file  # torch takes seconds to import; --help should not

    script.show(sample_file(h5ad, histology, checkpoint, script.outdir, script.sample, **options).record)


if __name__ == "__main__":
    main()
