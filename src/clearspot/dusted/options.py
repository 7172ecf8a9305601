"""The command line's options of DUSTED, shared by ``clearspot denoise`` and ``bin/dusted_denoise.py``.

What is left out is the preset's. Importing this module imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)

_OPTIONS: Final = (
    click.option(
        "--preset", default="default", type=click.Choice(["default", "paper"]), show_default=True, help="Settings."
    ),
    click.option("--likelihood", type=click.Choice(["nb", "zinb"]), help="Distribution of the counts."),
    click.option("--alpha", type=click.FloatRange(min=0), help="Weight of the gene attention's residual."),
    click.option("--gene-attention/--no-gene-attention", default=None, help="Gene channel attention."),
    click.option("--self-gate/--no-self-gate", default=None, help="Attention that stays with the spot."),
    click.option("--input", type=click.Choice(["log", "rate"]), help="What the model sees of the counts."),
    click.option("--posterior/--no-posterior", default=None, help="Use a spot's own count of a gene once more."),
    click.option("--mean-link", type=click.Choice(["exp", "elu"]), help="From the output layer to the mean."),
    click.option("--start", type=click.Choice(["random", "spectral"]), help="Of the weights."),
    click.option("--heads", type=click.Choice(["shared", "attention"]), help="Attention of the three outputs."),
    click.option("--lr", type=click.FloatRange(min=0, min_open=True), help="Learning rate."),
    click.option("--epochs", type=click.IntRange(min=1), help="Most epochs."),
    click.option("--holdout", type=click.FloatRange(0, 1, max_open=True), help="Fraction of the counts held out."),
    click.option("--blind", type=click.FloatRange(0, 1, max_open=True), help="Fraction an epoch's input lacks."),
    click.option("--patience", type=click.IntRange(min=1), help="Epochs without gain until training stops."),
    click.option("--hidden", type=click.IntRange(min=1), help="Width of the first layer."),
    click.option("--latent", type=click.IntRange(min=1), help="Width of the latent layer."),
    click.option("--genes", metavar="hvg|all|FILE", help="Genes to model; a file holds symbols or ids."),
    click.option("--always-genes", type=_FILE, help="File of genes that are modelled in any case."),
    click.option("--library-key", help="Column of obs with the section of each spot, where there are several."),
    click.option("--merge-duplicates", is_flag=True, help="Add up the counts of spots at one place."),
    click.option("--size-factor-key", help="Column of obs with the total counts of all genes."),
    click.option("--seed", type=click.IntRange(min=0), help="Seed."),
    click.option("--device", help="cpu, cuda or cuda:N; a GPU is used only if asked for."),
    click.option("--precision", type=click.Choice(["fp32", "bf16", "auto"]), help="Of the dense products."),
    click.option("--compile/--no-compile", "compile", default=None, help="torch.compile the loss."),
    click.option("--threads", type=click.IntRange(min=1), help="CPU threads, of all processes together."),
    click.option(
        "--processes",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Processes on this machine that share the tiles: with --device cuda, one a GPU.",
    ),
    click.option("--max-spots-per-tile", type=click.IntRange(min=1), help="Found from the memory where left out."),
    click.option(
        "--attempt",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="Number of this attempt: each after the first halves the tiles, given or found.",
    ),
    click.option("--step-per", type=click.Choice(["epoch", "tile"]), help="When the weights are updated."),
    click.option("--checkpoint-every", type=click.IntRange(min=1), help="Epochs between checkpoints."),
    click.option("--checkpoint-minutes", type=click.FloatRange(min=0), help="Minutes between checkpoints."),
    click.option(
        "--checkpoint-dir",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder that outlives this attempt: a later one on the same input and settings goes on from there.",
    ),
    click.option("--resume-from", type=_FILE, help="Checkpoint of a run that was broken off."),
    click.option("--warm-start-from", type=_FILE, help="Checkpoint of another run, to start from its weights."),
)


def denoise_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command every option of DUSTED."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
