#!/usr/bin/env python3
"""Denoise the counts of one sample with DUSTED."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot.errors import exit_codes


@click.command()
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="With graph.")
@click.option("--outdir", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where to write.")
@click.option(
    "--preset", default="default", type=click.Choice(["default", "paper"]), show_default=True, help="Settings."
)
@click.option("--likelihood", type=click.Choice(["nb", "zinb"]), help="Distribution of the counts.")
@click.option("--alpha", type=click.FloatRange(min=0), help="Weight of the gene attention's residual.")
@click.option("--gene-attention/--no-gene-attention", default=None, help="Gene channel attention.")
@click.option("--heads", type=click.Choice(["shared", "attention"]), help="Attention of the three outputs.")
@click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="Learning rate.")
@click.option("--epochs", type=click.IntRange(min=1), help="Most epochs.")
@click.option("--holdout", type=click.FloatRange(0, 1, max_open=True), help="Fraction of the counts held out.")
@click.option("--patience", type=click.IntRange(min=1), help="Epochs without gain until training stops.")
@click.option("--hidden", type=click.IntRange(min=1), help="Width of the first layer.")
@click.option("--latent", type=click.IntRange(min=1), help="Width of the latent layer.")
@click.option("--genes", help="hvg, all, or a file of gene names or ids.")
@click.option("--always-genes", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File of genes.")
@click.option("--size-factor-key", help="Column of obs with the total counts of all genes.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed.")
@click.option("--device", help="cpu, cuda or cuda:N; a GPU is used only if asked for.")
@click.option("--precision", type=click.Choice(["fp32", "bf16", "auto"]), help="Of the dense products.")
@click.option("--compile/--no-compile", "compile", default=None, help="torch.compile the loss.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
@click.option("--max-spots-per-tile", type=click.IntRange(min=1), help="Found from the memory where left out.")
@click.option("--step-per", type=click.Choice(["epoch", "tile"]), help="When the weights are updated.")
@click.option("--checkpoint-every", type=click.IntRange(min=1), help="Epochs between checkpoints.")
@click.option("--checkpoint-minutes", type=click.FloatRange(min=0), help="Minutes between checkpoints.")
@click.option("--resume-from", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Broken-off run.")
@click.option("--warm-start-from", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Other run.")
def main(sample: str, h5ad: Path, outdir: Path, **options: Any) -> None:
    """Write SAMPLE.h5ad and SAMPLE.dusted.json, and the model in models/. What is left out is the preset's."""
    with exit_codes():
        from clearspot.dusted.command import denoise_file  # torch takes seconds to import; --help should not

        for message in denoise_file(h5ad, outdir, sample, **options).record.messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
