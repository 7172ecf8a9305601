#!/usr/bin/env python3
"""Build the spatial graph over the passing spots of one sample."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot import keys
from clearspot.contract.options import FILE, options_of
from clearspot.graph.params import GraphParams
from clearspot.io.atomic import write_h5ad
from clearspot.io.section_file import read_section
from clearspot.step_script import StepScript, step_command


@step_command("graph")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the sample, after quality control.")
@options_of(GraphParams)
def main(script: StepScript, h5ad: Path, **settings: Any) -> None:
    """Write SAMPLE.h5ad and SAMPLE.graph.json."""
    from clearspot.graph.build import build_graph

    adata = read_section(h5ad)
    record = build_graph(adata, script.sample, GraphParams(**settings))
    write_h5ad(adata, script.outdir / keys.h5ad_name(script.sample))
    script.write(record)


if __name__ == "__main__":
    main()
