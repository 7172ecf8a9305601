#!/usr/bin/env python3
"""Write the page of one study from its record and its AnnData file."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot import keys
from clearspot.contract.options import FILE
from clearspot.step_script import StepScript, step_command


@step_command("study_report")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the study.")
@click.option("--record", type=FILE, required=True, help="Record of the step study.")
def main(script: StepScript, h5ad: Path, record: Path) -> None:
    """Write SAMPLE_report.html and metrics.json."""
    from clearspot.report.study import write_study_report

    write_study_report(h5ad, record, script.outdir / keys.report_name(script.sample))


if __name__ == "__main__":
    main()
