#!/usr/bin/env python3
"""Find the spatial domains of one sample, their markers, and how spatial its genes are before and after denoising."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from clearspot import keys
from clearspot.domains.loupe import write_loupe_tables
from clearspot.domains.params import DomainParams, Method
from clearspot.domains.run import find_domains
from clearspot.errors import exit_codes
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section

DEFAULT = DomainParams()


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="Denoised.")
@click.option("--denoised", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="If not in a layer.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write.")
@click.option("--method", type=click.Choice(get_args(Method)), default=DEFAULT.method, help="Whose domains come first.")
@click.option("--n-domains", type=click.IntRange(min=2), default=None, help="How many.  [default: chosen by the data]")
@click.option("--max-domains", type=click.IntRange(min=2), default=DEFAULT.max_domains, help="Most that gmm considers.")
@click.option("--resolution", type=float, default=DEFAULT.resolution, help="Leiden's, where no number is given.")
@click.option("--refine", is_flag=True, help="Give each spot the label that most of its neighbours have.")
@click.option("--n-markers", type=click.IntRange(min=1), default=DEFAULT.n_markers, help="Markers of each domain.")
@click.option("--moran-n-genes", type=click.IntRange(min=0), default=DEFAULT.moran_n_genes, help="Genes measured.")
@click.option("--moran-n-perms", type=click.IntRange(min=0), default=DEFAULT.moran_n_perms, help="Shuffles; 0: none.")
@click.option("--seed", type=click.IntRange(min=0), default=DEFAULT.seed, help="Seed of everything random.")
def main(sample: str, h5ad: Path, denoised: Path | None, outdir: Path, **options: Any) -> None:
    """Write SAMPLE.h5ad, SAMPLE.domains.json and tables for Loupe Browser in loupe/."""
    with exit_codes():
        adata = read_section(h5ad)
        record = find_domains(adata, sample, DomainParams(**options), denoised_file=denoised)
        outdir.mkdir(parents=True, exist_ok=True)
        write_h5ad(adata, outdir / keys.h5ad_name(sample))
        write_loupe_tables(adata, sample, outdir / keys.LOUPE_FOLDER)
        record.write(outdir / keys.record_name(sample, record.step))
        for message in record.messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
