#!/usr/bin/env python3
"""Train Diff-ST on all references of a run, once for every sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import options_of
from clearspot.diffst.options import RUN_FIELDS
from clearspot.diffst.params import DiffstParams
from clearspot.step_script import StepScript, step_command

FIELDS = (
    *("n_programs", "pixels", "disentangle", "cross_attention", "gene_graph", "diffusion", "width", "steps_pretrain"),
    *("lattices", "stain_jitter", "batch", "crop", "lr", "holdout", "precision"),
)


@step_command("superres_pretrain")
@click.option(
    "--reference",
    "references",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="Reference: output of reference_prepare.py, a Xenium folder, or a Visium HD .h5ad; may be repeated.",
)
@click.option(
    "--bin-um",
    type=click.FloatRange(min=2, max=50),
    default=16.0,
    show_default=True,
    help="Side of a bin in µm, as that of the samples' super-resolution.",
)
@options_of(DiffstParams, *FIELDS, *RUN_FIELDS)
@click.option("--skip-bad-references", is_flag=True, help="Train without references that do not go with the others.")
def main(script: StepScript, references: tuple[Path, ...], **options: Any) -> None:
    """Write references.diffst.pt and cohort.superres_pretrain.json."""
    from clearspot.diffst.output.command import pretrain_files  # torch takes seconds to import; --help should not

    script.show(pretrain_files(references, script.outdir, **options))


if __name__ == "__main__":
    main()
