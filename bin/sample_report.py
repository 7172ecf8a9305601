#!/usr/bin/env python3
"""Write the report of one sample from the records of its steps."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot import keys
from clearspot.contract.options import FILE
from clearspot.step_script import StepScript, step_command


@step_command("sample_report")
@click.option("--h5ad", type=FILE, help="AnnData file of the sample. Omit for a refused sample.")
@click.option("--denoised", type=FILE, help="File of the denoised values, if they are not a layer of the AnnData file.")
@click.option("--superres", type=FILE, help="File of the super-resolved expression, if available.")
@click.option(
    "--record",
    "--records",
    "records",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    required=True,
    help="Record of a step, or a folder of records. Can be repeated.",
)
@click.option("--thresholds", type=FILE, help="YAML file with custom limits for the report's checks.")
def main(
    script: StepScript,
    h5ad: Path | None,
    denoised: Path | None,
    superres: Path | None,
    records: tuple[Path, ...],
    thresholds: Path | None,
) -> None:
    """Write SAMPLE_report.html and metrics.json."""
    from clearspot.report.rule import read_thresholds
    from clearspot.report.rules import RULES
    from clearspot.report.sample import write_sample_report

    rules = RULES if thresholds is None else read_thresholds(thresholds, RULES)
    page = script.outdir / keys.report_name(script.sample)
    write_sample_report(h5ad, records, page, denoised=denoised, superres=superres, rules=rules)


if __name__ == "__main__":
    main()
