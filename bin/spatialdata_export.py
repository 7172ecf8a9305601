#!/usr/bin/env python3
"""Write one sample as a zipped SpatialData store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot import keys
from clearspot.contract.options import FILE, options_of
from clearspot.export.params import ExportParams
from clearspot.io.section_file import read_section
from clearspot.step_script import StepScript, step_command


@step_command("spatialdata")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the sample.")
@click.option("--superres", type=FILE, help="File of the super-resolved expression of the sample.")
@options_of(ExportParams)
def main(script: StepScript, h5ad: Path, superres: Path | None, **settings: Any) -> None:
    """Write SAMPLE.zarr.zip, SAMPLE.spatialdata.json, and SAMPLE.vitessce.json and SAMPLE.tmap for viewers."""
    from clearspot.export.spatialdata_zarr import write_spatialdata  # takes seconds to import; --help should not
    from clearspot.export.viewers import write_viewers

    adata, store = read_section(h5ad), script.outdir / keys.spatialdata_name(script.sample)
    record = write_spatialdata(adata, script.sample, store, superres, ExportParams(**settings))
    write_viewers(adata, script.sample, script.outdir, superres)
    script.write(record)


if __name__ == "__main__":
    main()
