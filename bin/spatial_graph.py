#!/usr/bin/env python3
"""Build the spatial graph over the passing spots of one sample."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from clearspot import keys
from clearspot.errors import exit_codes
from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams, Strategy
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section

DEFAULT = GraphParams()


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="After QC.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write.")
@click.option("--method", type=click.Choice(get_args(Strategy)), default=DEFAULT.method, help="Who is a neighbour.")
@click.option(
    "--radius",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="Largest distance of neighbours in micrometres.  [default: found from the spots]",
)
@click.option(
    "--n-neighbors",
    type=click.IntRange(min=1),
    default=DEFAULT.n_neighbors,
    help="Neighbours to take (knn) or to aim at (radius, grid).",
)
def main(sample: str, h5ad: Path, outdir: Path, method: Strategy, radius: float | None, n_neighbors: int) -> None:
    """Write SAMPLE.h5ad and SAMPLE.graph.json."""
    with exit_codes():
        adata = read_section(h5ad)
        record = build_graph(adata, sample, GraphParams(method, radius, n_neighbors))
        outdir.mkdir(parents=True, exist_ok=True)
        write_h5ad(adata, outdir / keys.h5ad_name(sample))
        record.write(outdir / keys.record_name(sample, record.step))
        for message in record.messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
