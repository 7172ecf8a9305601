#!/usr/bin/env python3
"""Check the samplesheet and all parameters before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from clearspot import keys
from clearspot.errors import BadInputError, Problem, exit_codes
from clearspot.io.params import check_params
from clearspot.io.samplesheet import Samplesheet, load_samplesheet
from clearspot.record import StepRecord, write_json
from clearspot.report.rules import RULES
from clearspot.report.verdict import read_thresholds

COHORT = "cohort"


@click.command(context_settings={"show_default": True})
@click.option("--samplesheet", type=click.Path(path_type=Path), required=True, help="CSV, TSV, YAML or JSON sheet.")
@click.option("--schema", type=click.Path(path_type=Path, exists=True), required=True, help="Schema of the sheet.")
@click.option("--params", type=click.Path(path_type=Path, exists=True), required=True, help="All parameters as JSON.")
@click.option("--params-schema", type=click.Path(path_type=Path, exists=True), required=True, help="Their schema.")
@click.option("--thresholds", type=click.Path(path_type=Path, exists=True), help="Limits of the traffic lights.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write.")
def main(
    samplesheet: Path, schema: Path, params: Path, params_schema: Path, thresholds: Path | None, outdir: Path
) -> None:
    """Write samplesheet.valid.json and cohort.samplesheet.json, or say everything that is wrong and exit with 65."""
    with exit_codes():
        problems: list[Problem] = []
        sheet = Samplesheet([], [])
        given = params.read_text(encoding="utf-8").strip()
        try:
            # an empty file: --validate_params false
            if given:
                check_params(json.loads(given), params_schema)
        except BadInputError as error:
            problems += error.problems
        try:
            sheet = load_samplesheet(samplesheet, schema)
        except BadInputError as error:
            problems += error.problems
        try:
            if thresholds is not None:
                read_thresholds(thresholds, RULES)
        except BadInputError as error:
            problems += error.problems
        if problems:
            raise BadInputError(problems)
        roles = [row.role for row in sheet.rows]
        record = StepRecord(
            COHORT,
            "samplesheet",
            metrics={"n_query": roles.count("query"), "n_reference": roles.count("reference")},
            messages=sheet.messages,
        )
        outdir.mkdir(parents=True, exist_ok=True)
        write_json([row.as_dict() for row in sheet.rows], outdir / "samplesheet.valid.json")
        record.write(outdir / keys.record_name(COHORT, record.step))
        for message in record.messages:
            click.echo(f"{message.level}: {message.text}", err=True)


if __name__ == "__main__":
    main()
