#!/usr/bin/env python3
"""Write one sample as a zipped SpatialData store."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot import keys
from clearspot.contract.options import FILE
from clearspot.io.section_file import read_section
from clearspot.step_script import StepScript, step_command


@step_command("spatialdata")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the sample.")
def main(script: StepScript, h5ad: Path) -> None:
    """Write SAMPLE.zarr.zip and SAMPLE.spatialdata.json."""
    from clearspot.export.spatialdata_zarr import write_spatialdata  # takes seconds to import; --help should not
    from clearspot.record import StepRecord

    write_spatialdata(read_section(h5ad), script.sample, script.outdir / keys.spatialdata_name(script.sample))
    script.write(StepRecord(script.sample, "spatialdata"))


if __name__ == "__main__":
    main()
