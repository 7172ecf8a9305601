#!/usr/bin/env python3
"""Write the cohort's MultiQC report and summary table from the records of all samples."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot import keys
from clearspot.contract.options import FILE, FOLDER
from clearspot.errors import exit_codes


# no step_command: this step reads the versions of all others, and its own are in its report
@click.command()
@click.option(
    "--records",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    required=True,
    help="Record of a step, or a folder of records. Can be repeated.",
)
@click.option(
    "--multiqc-config",
    "configs",
    type=FILE,
    multiple=True,
    help="MultiQC configuration file. Can be repeated; later files take precedence.",
)
@click.option(
    "--versions", type=FILE, multiple=True, help="YAML file of process, software and version. Can be repeated."
)
@click.option("--thresholds", type=FILE, help="YAML file with custom limits for the report's checks.")
@click.option("--title", help="Title of the report.")
@click.option("--outdir", type=FOLDER, default=Path(), help="Output folder.  [default: current folder]")
def main(
    records: tuple[Path, ...],
    configs: tuple[Path, ...],
    versions: tuple[Path, ...],
    thresholds: Path | None,
    title: str | None,
    outdir: Path,
) -> None:
    """Write multiqc_report.html, multiqc_data, qc_summary.csv, and MultiQC's inputs."""
    with exit_codes("pipeline"):
        from clearspot.report.cohort import INPUTS_NAME, read_versions, run_multiqc, write_multiqc_inputs
        from clearspot.report.rule import read_thresholds
        from clearspot.report.rules import RULES

        inputs = outdir / INPUTS_NAME
        rules = RULES if thresholds is None else read_thresholds(thresholds, RULES)
        pages = write_multiqc_inputs(records, inputs, versions=read_versions(versions), rules=rules)
        (inputs / keys.QC_SUMMARY_NAME).replace(outdir / keys.QC_SUMMARY_NAME)
        run_multiqc(inputs, outdir, configs, title, pages)


if __name__ == "__main__":
    main()
