#!/usr/bin/env python3
"""Train Diff-ST on all references of a run, once for every sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import options_of
from clearspot.diffst.options import PRETRAIN_FIELDS, PRETRAIN_OPTIONS, RUN_FIELDS
from clearspot.diffst.params import DiffstParams
from clearspot.step_script import StepScript, step_command


@step_command("superres_pretrain")
@click.option(
    "--reference",
    "references",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path, exists=True),
    help="Reference: output of reference_prepare.py, a Xenium folder, or a Visium HD .h5ad. Can be repeated.",
)
@PRETRAIN_OPTIONS
@options_of(DiffstParams, *PRETRAIN_FIELDS, *RUN_FIELDS)
def main(script: StepScript, references: tuple[Path, ...], **options: Any) -> None:
    """Write references.diffst.pt and cohort.superres_pretrain.json."""
    from clearspot.diffst.output.command import pretrain_files  # torch takes seconds to import; --help should not

    script.show(pretrain_files(references, script.outdir, **options))


if __name__ == "__main__":
    main()
