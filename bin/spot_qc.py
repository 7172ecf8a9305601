#!/usr/bin/env python3
"""Measure and flag the spots of one sample, normalise, and choose its highly variable genes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot import keys
from clearspot.contract.gene_lists import read_gene_list
from clearspot.errors import BadInputError, exit_codes
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from clearspot.record import StepRecord

DEFAULT = QCParams()


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="Ingested.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write.")
@click.option("--min-counts", type=int, default=None, help="Fewest counts of a spot.  [default: by the spot's size]")
@click.option("--min-genes", type=int, default=None, help="Fewest genes of a spot.  [default: by the spot's size]")
@click.option("--min-spots", type=int, default=DEFAULT.min_spots, help="Fewest passing spots with a gene.")
@click.option("--mito-threshold", type=float, default=DEFAULT.mito_threshold, help="Largest mitochondrial per cent.")
@click.option("--ribo-threshold", type=float, default=DEFAULT.ribo_threshold, help="Smallest ribosomal per cent.")
@click.option("--hb-threshold", type=float, default=DEFAULT.hb_threshold, help="Largest haemoglobin per cent.")
@click.option("--min-spots-left", type=int, default=DEFAULT.min_spots_left, help="Fewer refuse the sample.")
@click.option("--min-genes-left", type=int, default=DEFAULT.min_genes_left, help="Fewer refuse the sample.")
@click.option("--n-hvgs", type=int, default=DEFAULT.n_hvgs, help="Number of highly variable genes.")
@click.option("--hvg-min-counts", type=int, default=DEFAULT.hvg_min_counts, help="They have more counts than this.")
@click.option(
    "--genes-of-interest",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File of genes (first column) that are flagged whether or not they vary.",
)
@click.option("--verdict-only", is_flag=True, help="A refused sample gets its record and exit code 0 instead of 65.")
def main(
    sample: str, h5ad: Path, outdir: Path, genes_of_interest: Path | None, verdict_only: bool, **thresholds: Any
) -> None:
    """Write SAMPLE.h5ad and SAMPLE.qc.json; of a sample with too little left, the record alone."""
    with exit_codes():
        genes = read_gene_list(genes_of_interest, sample) if genes_of_interest else ()
        params = QCParams(**thresholds, genes_of_interest=genes)
        adata = read_section(h5ad)
        outdir.mkdir(parents=True, exist_ok=True)
        try:
            record = run_qc(adata, sample, params)
        except BadInputError as error:
            if not verdict_only:
                raise
            StepRecord.bad_input(sample, "qc", error.problems).write(outdir / keys.record_name(sample, "qc"))
            click.echo(f"refused:\n{error}", err=True)
            return
        write_h5ad(adata, outdir / keys.h5ad_name(sample))
        record.write(outdir / keys.record_name(sample, record.step))
        for message in record.messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
