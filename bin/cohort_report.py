#!/usr/bin/env python3
"""Write the cohort's MultiQC report and summary table from the records of all samples."""

from pathlib import Path

import click

from clearspot import keys
from clearspot.errors import exit_codes
from clearspot.report.cohort import INPUTS_NAME, read_versions, run_multiqc, write_multiqc_inputs
from clearspot.report.rules import RULES
from clearspot.report.verdict import read_thresholds

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"show_default": True})
@click.option(
    "--records",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    required=True,
    help="A step's record, or a folder of them; may be given several times.",
)
@click.option("--multiqc-config", "configs", type=FILE, multiple=True, help="MultiQC configuration; the last one wins.")
@click.option("--versions", type=FILE, multiple=True, help="YAML file: process, software, version.")
@click.option("--thresholds", type=FILE, help="YAML file with limits of the traffic lights that differ.")
@click.option("--title", help="Title of the report.")
@click.option("--outdir", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Output folder.")
def main(
    records: tuple[Path, ...],
    configs: tuple[Path, ...],
    versions: tuple[Path, ...],
    thresholds: Path | None,
    title: str | None,
    outdir: Path,
) -> None:
    """Write multiqc_report.html, multiqc_data, qc_summary.csv, and MultiQC's inputs."""
    with exit_codes():
        inputs = outdir / INPUTS_NAME
        rules = RULES if thresholds is None else read_thresholds(thresholds, RULES)
        write_multiqc_inputs(records, inputs, versions=read_versions(versions), rules=rules)
        (inputs / keys.QC_SUMMARY_NAME).replace(outdir / keys.QC_SUMMARY_NAME)
        run_multiqc(inputs, outdir, configs, title)


if __name__ == "__main__":
    main()
