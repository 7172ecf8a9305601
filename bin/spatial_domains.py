#!/usr/bin/env python3
"""Find the spatial domains of one sample, their markers, and Moran's I of its genes before and after denoising."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot import keys
from clearspot.contract.options import FILE, options_of
from clearspot.domains.params import DomainParams
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section
from clearspot.step_script import StepScript, step_command


@step_command("domains")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the sample, after denoising.")
@click.option("--denoised", type=FILE, help="File of the denoised values, if they are not a layer of the AnnData file.")
@options_of(DomainParams)
def main(script: StepScript, h5ad: Path, denoised: Path | None, **settings: Any) -> None:
    """Write SAMPLE.h5ad, SAMPLE.domains.json and tables for Loupe Browser in loupe/."""
    from clearspot.domains.loupe import write_loupe_tables
    from clearspot.domains.run import find_domains

    adata = read_section(h5ad)
    record = find_domains(adata, script.sample, DomainParams(**settings), denoised_file=denoised)
    write_h5ad(adata, script.outdir / keys.h5ad_name(script.sample))
    write_loupe_tables(adata, script.sample, script.outdir / keys.LOUPE_FOLDER)
    script.write(record)


if __name__ == "__main__":
    main()
