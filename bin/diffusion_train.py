#!/usr/bin/env python3
"""Train Diff-ST on one sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.errors import exit_codes

EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)
REFERENCE = click.Path(path_type=Path, exists=True)


@click.command()
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", required=True, type=EXISTING, help="Section with counts and positions.")
@click.option("--histology", type=EXISTING, help="SAMPLE.histology.npz; expression alone without it.")
@click.option("--outdir", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where to write.")
@click.option("--preset", default="cpu", type=click.Choice(["cpu", "gpu", "test"]), show_default=True, help="Settings.")
@click.option("--factor", type=click.IntRange(min=2), help="Bins per spot pitch, without histology.")
@click.option("--bin-um", type=click.FloatRange(min=0, min_open=True), help="Side of a bin; overrides the factor.")
@click.option("--spot-diameter-um", type=click.FloatRange(min=0, min_open=True), help="Of what a spot captures.")
@click.option("--input", type=click.Choice(["counts", "denoised"]), help="Layer that is distributed over the bins.")
@click.option("--genes", help="hvg, all, or a file of gene names or ids.")
@click.option("--n-genes", type=click.IntRange(min=2), help="How many for hvg.")
@click.option("--always-genes", type=EXISTING, help="File of genes that are in whatever --genes says.")
@click.option("--n-programs", type=click.IntRange(min=1), help="Gene programs.")
@click.option("--image/--no-image", default=None, help="Look at the image.")
@click.option("--disentangle/--no-disentangle", default=None, help="Shared and private features.")
@click.option("--cross-attention/--no-cross-attention", default=None, help="Cell- and tissue-level tokens.")
@click.option("--gene-graph/--no-gene-graph", default=None, help="Graph network over the genes.")
@click.option("--diffusion/--no-diffusion", default=None, help="Second stage: texture and uncertainty.")
@click.option("--likelihood", type=click.Choice(["poisson", "nb"]), help="Of the counts in the loss.")
@click.option("--width", type=click.IntRange(min=8), help="Channels of the finest level.")
@click.option("--steps-mean", type=click.IntRange(min=1), help="Training steps of the first stage.")
@click.option("--steps-diffusion", type=click.IntRange(min=1), help="Training steps of the second stage.")
@click.option("--batch", type=click.IntRange(min=1), help="Windows a step.")
@click.option("--crop", type=click.IntRange(min=8), help="Bins along a training window, a multiple of 8.")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="Peak learning rate.")
@click.option("--holdout", type=click.FloatRange(0, 0.5, max_open=True), help="Share of spots that score the result.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU is used only if asked for.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
@click.option("--checkpoint-minutes", type=click.FloatRange(min=0), help="Minutes between checkpoints.")
@click.option("--resume-from", type=EXISTING, help="Checkpoint of a broken-off run.")
@click.option(
    "--checkpoint-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keeps the checkpoint where another attempt finds it.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=REFERENCE,
    help="What reference_prepare.py wrote, a Xenium folder, or a Visium HD .h5ad.",
)
@click.option("--skip-bad-references", is_flag=True, help="Train without references that do not fit the section.")
@click.option("--microns-per-pixel", type=click.FloatRange(min=0, min_open=True), help="Overrides the section's.")
def main(sample: str, h5ad: Path, histology: Path | None, outdir: Path, **options: Any) -> None:
    """Write SAMPLE.diffst.pt and SAMPLE.superres_train.json. What is left out is the preset's."""
    with exit_codes():
        from clearspot.diffst.command import train_file  # torch takes seconds to import; --help should not

        for message in train_file(h5ad, histology, outdir, sample, **options).messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
