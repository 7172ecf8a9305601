#!/usr/bin/env python3
"""Denoise the counts of one sample with DUSTED."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.dusted.options import denoise_options
from clearspot.errors import exit_codes


@click.command()
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Section.")
@click.option("--outdir", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where to write.")
@denoise_options
def main(sample: str, h5ad: Path, outdir: Path, **options: Any) -> None:
    """Write SAMPLE.h5ad and SAMPLE.dusted.json, and the model in models/. What is left out is the preset's."""
    with exit_codes():
        from clearspot.dusted.command import Targets, denoise_file  # torch takes seconds to import; --help should not

        record = denoise_file(h5ad, Targets.in_folder(outdir, sample), sample, written_by_step=True, **options)
        for message in record.messages if record else ():
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
