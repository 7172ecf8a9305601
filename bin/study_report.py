#!/usr/bin/env python3
"""Write the page of one study from its record and its AnnData file."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot import keys
from clearspot.contract.options import FILE, INPUT_FOLDER
from clearspot.step_script import StepScript, step_command


@step_command("study_report")
@click.option("--h5ad", type=FILE, required=True, help="AnnData file of the study.")
@click.option("--record", type=FILE, required=True, help="Record of the step study.")
@click.option("--sections", type=INPUT_FOLDER, required=True, help="Folder with the AnnData files of the sections.")
def main(script: StepScript, h5ad: Path, record: Path, sections: Path) -> None:
    """Write SAMPLE_report.html and metrics.json."""
    from clearspot.report.study import write_study_report

    files = sorted(sections.glob("*.h5ad"))
    write_study_report(h5ad, record, script.outdir / keys.report_name(script.sample), files)


if __name__ == "__main__":
    main()
