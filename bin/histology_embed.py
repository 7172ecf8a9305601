#!/usr/bin/env python3
"""Compute what the histology image says about every bin of the fine grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.errors import exit_codes

EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", required=True, type=EXISTING, help="Section with counts and positions.")
@click.option("--image", required=True, type=EXISTING, help="Full-resolution histology image.")
@click.option("--outdir", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where to write.")
@click.option("--preset", default="cpu", type=click.Choice(["cpu", "gpu", "test"]), show_default=True, help="Settings.")
@click.option("--factor", type=click.IntRange(min=2), help="Bins per spot pitch.")
@click.option("--bin-um", type=click.FloatRange(min=0, min_open=True), help="Side of a bin; overrides the factor.")
@click.option("--encoder", help="File with weights of an image model of timm, for further features.")
@click.option("--encoder-name", help="Its name in timm, for example resnet18.")
@click.option("--microns-per-pixel", type=click.FloatRange(min=0, min_open=True), help="Overrides the section's.")
def main(sample: str, h5ad: Path, image: Path, outdir: Path, **options: Any) -> None:
    """Write SAMPLE.histology.npz and SAMPLE.histology.json."""
    with exit_codes():
        from clearspot.diffst.command import embed_file  # torch takes seconds to import; --help should not

        for message in embed_file(h5ad, image, outdir, sample, **options).messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
