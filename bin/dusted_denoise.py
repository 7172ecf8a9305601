#!/usr/bin/env python3
"""Denoise the counts of one sample with DUSTED."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import FILE
from clearspot.dusted.options import denoise_options
from clearspot.step_script import StepScript, step_command


@step_command("dusted")
@click.option("--h5ad", required=True, type=FILE, help="AnnData file of the sample, with its graph.")
@denoise_options
def main(script: StepScript, h5ad: Path, **options: Any) -> None:
    """Write SAMPLE.h5ad and SAMPLE.dusted.json, and the model in models/."""
    from clearspot.dusted.command import Targets, denoise_file  # torch takes seconds to import; --help should not

    record = denoise_file(
        h5ad, Targets.in_folder(script.outdir, script.sample), script.sample, written_by_step=True, **options
    )
    if record is not None:
        script.show(record)


if __name__ == "__main__":
    main()
