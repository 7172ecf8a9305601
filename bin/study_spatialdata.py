#!/usr/bin/env python3
"""Write one study as a zipped SpatialData store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot import keys
from clearspot.contract.options import FILE, INPUT_FOLDER, options_of
from clearspot.export.params import ExportParams
from clearspot.io.section_file import read_section
from clearspot.step_script import StepScript, step_command


@step_command("study_spatialdata")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the study.")
@click.option("--sections", type=INPUT_FOLDER, required=True, help="Folder with the AnnData files of the sections.")
@options_of(ExportParams)
def main(script: StepScript, h5ad: Path, sections: Path, **settings: Any) -> None:
    """Write SAMPLE.zarr.zip and SAMPLE.study_spatialdata.json."""
    from clearspot.export.study_store import write_study_spatialdata  # takes seconds to import; --help should not

    store = script.outdir / keys.spatialdata_name(script.sample)
    files = sorted(sections.glob("*.h5ad"))
    script.write(write_study_spatialdata(read_section(h5ad), script.sample, files, store, ExportParams(**settings)))


if __name__ == "__main__":
    main()
