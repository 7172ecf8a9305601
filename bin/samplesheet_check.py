#!/usr/bin/env python3
"""Check the samplesheet and all parameters before anything runs."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot import keys
from clearspot.contract.options import FILE
from clearspot.step_script import StepScript, step_command


@step_command("samplesheet")
@click.option(
    "--samplesheet", type=click.Path(path_type=Path), required=True, help="Samplesheet: CSV, TSV, YAML or JSON."
)
@click.option("--schema", type=FILE, required=True, help="JSON Schema of the samplesheet.")
@click.option(
    "--params",
    type=FILE,
    required=True,
    help="All parameters as JSON. If the file is empty, parameters are not checked.",
)
@click.option("--params-schema", type=FILE, required=True, help="JSON Schema of the parameters.")
@click.option("--thresholds", type=FILE, help="YAML file with custom limits for the report's checks.")
def main(
    script: StepScript, samplesheet: Path, schema: Path, params: Path, params_schema: Path, thresholds: Path | None
) -> None:
    """Write samplesheet.valid.json and cohort.samplesheet.json, or list all problems and exit with 65."""
    from clearspot.io.run_inputs import check_run_inputs
    from clearspot.record import write_json
    from clearspot.report.rule import read_thresholds
    from clearspot.report.rules import RULES

    limits = [] if thresholds is None else [lambda: read_thresholds(thresholds, RULES)]
    sheet, record = check_run_inputs(samplesheet, schema, params, params_schema, *limits)
    write_json([row.as_dict() for row in sheet.rows], script.outdir / keys.VALID_SAMPLESHEET_NAME)
    script.write(record)


if __name__ == "__main__":
    main()
