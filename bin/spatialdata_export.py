#!/usr/bin/env python3
"""Write one sample as a zipped SpatialData store."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot import keys
from clearspot.errors import exit_codes
from clearspot.export.spatialdata_zarr import write_spatialdata
from clearspot.io.section_file import read_section


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option("--h5ad", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True, help="Sample.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write.")
def main(sample: str, h5ad: Path, outdir: Path) -> None:
    """Write SAMPLE.zarr.zip."""
    with exit_codes():
        outdir.mkdir(parents=True, exist_ok=True)
        write_spatialdata(read_section(h5ad), sample, outdir / keys.spatialdata_name(sample))


if __name__ == "__main__":
    main()
