"""Options of the command line that training and sampling of Diff-ST share. Imports nothing heavy."""

from __future__ import annotations

from typing import Final

import click

from clearspot.contract.options import FILE, group

INPUT_OPTIONS: Final = group(
    click.option("--h5ad", required=True, type=FILE, help="AnnData file of the sample."),
    click.option("--histology", type=FILE, help="Image features, SAMPLE.histology.npz.  [default: no image]"),
)

SECTION_FIELDS: Final = ("factor", "bin_um", "spot_diameter_um", "input", "genes", "n_genes", "always_genes", "image")
"""Settings that define what is read from the section; they must be the same in training and sampling."""

RUN_FIELDS: Final = ("seed", "device", "threads")

PRETRAIN_FIELDS: Final = (
    *("n_programs", "pixels", "disentangle", "cross_attention", "gene_graph", "gene_head", "diffusion", "width"),
    *("steps_pretrain", "lattices", "stain_jitter", "batch", "crop", "lr", "holdout", "precision"),
)
"""Settings of the training on references."""

PRETRAIN_OPTIONS: Final = group(
    click.option(
        "--bin-um",
        type=click.FloatRange(min=2, max=50),
        default=16.0,
        show_default=True,
        help="Bin size in µm. Must equal the bin size of the samples' super-resolution.",
    ),
    click.option("--skip-bad-references", is_flag=True, help="Skip references that are incompatible with the others."),
)
