#!/usr/bin/env python3
"""Train Diff-ST on one sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import FILE, FOLDER, options_of
from clearspot.diffst.options import INPUT_OPTIONS, RUN_FIELDS, SECTION_FIELDS
from clearspot.diffst.params import DiffstParams
from clearspot.io.options import SCALE_OPTION
from clearspot.step_script import StepScript, step_command

FIELDS = (
    *("n_programs", "disentangle", "cross_attention", "gene_graph", "diffusion", "likelihood", "width", "steps_mean"),
    *("steps_diffusion", "steps_adapt", "lr_adapt", "batch", "crop", "lr", "holdout", "checkpoint_minutes"),
)


@step_command("superres_train")
@INPUT_OPTIONS
@SCALE_OPTION
@options_of(DiffstParams, *SECTION_FIELDS, *FIELDS, *RUN_FIELDS)
@click.option("--resume-from", type=FILE, help="Checkpoint of an interrupted run, to resume.")
@click.option("--checkpoint-dir", type=FOLDER, help="Folder in which the checkpoint is kept for a later attempt.")
@click.option("--start-from", type=FILE, help="Model trained on references by diffusion_pretrain.py, to start from.")
@click.option("--alone-if-unfit", is_flag=True, help="Train on the sample alone if that model does not match it.")
def main(script: StepScript, h5ad: Path, histology: Path | None, **options: Any) -> None:
    """Write SAMPLE.diffst.pt and SAMPLE.superres_train.json."""
    from clearspot.diffst.output.command import train_file  # torch takes seconds to import; --help should not

    script.show(train_file(h5ad, histology, script.outdir, script.sample, **options))


if __name__ == "__main__":
    main()
