#!/usr/bin/env python3
"""Sample the super-resolved expression of one sample with a trained Diff-ST model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.errors import exit_codes

EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", required=True, type=EXISTING, help="Section with counts and positions.")
@click.option("--histology", type=EXISTING, help="SAMPLE.histology.npz; expression alone without it.")
@click.option("--checkpoint", required=True, type=EXISTING, help="Trained model.")
@click.option("--outdir", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where to write.")
@click.option("--preset", default="cpu", type=click.Choice(["cpu", "gpu", "test"]), show_default=True, help="Settings.")
@click.option("--factor", type=click.IntRange(min=2), help="Bins per spot pitch, without histology.")
@click.option("--bin-um", type=click.FloatRange(min=0, min_open=True), help="Side of a bin; overrides the factor.")
@click.option("--spot-diameter-um", type=click.FloatRange(min=0, min_open=True), help="Of what a spot captures.")
@click.option("--input", type=click.Choice(["counts", "denoised"]), help="Layer that is distributed over the bins.")
@click.option("--genes", help="hvg, all, or a file of gene names or ids.")
@click.option("--n-genes", type=click.IntRange(min=2), help="How many for hvg.")
@click.option("--always-genes", type=EXISTING, help="File of genes that are in whatever --genes says.")
@click.option("--image/--no-image", default=None, help="Look at the image.")
@click.option("--diffusion/--no-diffusion", default=None, help="Draw samples: texture and uncertainty.")
@click.option("--projection/--no-projection", default=None, help="Make the bins add up to what spots measured.")
@click.option("--samples", type=click.IntRange(min=1), help="Draws.")
@click.option("--evaluations", type=click.IntRange(2, 20), help="Network evaluations a draw.")
@click.option("--tile", type=click.IntRange(min=8), help="Bins along a tile, a multiple of 8.")
@click.option("--gene-chunk", type=click.IntRange(min=1), help="Genes decoded at a time.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU is used only if asked for.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
@click.option("--draws", type=click.Path(path_type=Path, file_okay=False), help="Keeps draws of a broken-off run.")
@click.option("--microns-per-pixel", type=click.FloatRange(min=0, min_open=True), help="Overrides the section's.")
def main(sample: str, h5ad: Path, histology: Path | None, checkpoint: Path, outdir: Path, **options: Any) -> None:
    """Write SAMPLE.superres.h5ad and SAMPLE.superres.json. What is left out is the preset's."""
    with exit_codes():
        from clearspot.diffst.command import sample_file  # torch takes seconds to import; --help should not

        for message in sample_file(h5ad, histology, checkpoint, outdir, sample, **options).record.messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
