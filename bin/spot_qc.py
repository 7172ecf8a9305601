#!/usr/bin/env python3
"""Measure and flag the spots of one sample, normalise, and choose its highly variable genes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot import keys
from clearspot.contract.options import FILE, options_of
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section
from clearspot.qc.params import QCParams
from clearspot.step_script import StepScript, step_command


@step_command("qc")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the sample, after ingest.")
@options_of(QCParams)
def main(script: StepScript, h5ad: Path, genes_of_interest: Path | None, **settings: Any) -> None:
    """Write SAMPLE.h5ad and SAMPLE.qc.json."""
    from clearspot.contract.gene_lists import read_gene_list
    from clearspot.qc.run import run_qc

    genes = read_gene_list(genes_of_interest, script.sample) if genes_of_interest else ()
    adata = read_section(h5ad)
    record = run_qc(adata, script.sample, QCParams(**settings, genes_of_interest=genes))
    write_h5ad(adata, script.outdir / keys.h5ad_name(script.sample))
    script.write(record)


if __name__ == "__main__":
    main()
