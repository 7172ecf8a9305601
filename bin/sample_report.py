#!/usr/bin/env python3
"""Write the report of one sample from the records of its steps."""

from pathlib import Path

import click

from clearspot import keys
from clearspot.errors import exit_codes
from clearspot.report.rules import RULES
from clearspot.report.sample import write_sample_report
from clearspot.report.verdict import read_thresholds


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option(
    "--h5ad",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The sample's AnnData file; left out for a sample that was refused.",
)
@click.option(
    "--denoised",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Denoised values, where they are too large to stand in the AnnData file.",
)
@click.option(
    "--superres",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Super-resolved expression, where there is any.",
)
@click.option(
    "--record",
    "--records",
    "records",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    required=True,
    help="A step's record, or a folder of them; may be given several times.",
)
@click.option(
    "--thresholds",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file with limits of the traffic lights that differ from the usual ones.",
)
@click.option("--outdir", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Output folder.")
def main(
    sample: str,
    h5ad: Path | None,
    denoised: Path | None,
    superres: Path | None,
    records: tuple[Path, ...],
    thresholds: Path | None,
    outdir: Path,
) -> None:
    """Write SAMPLE_report.html and metrics.json."""
    with exit_codes():
        outdir.mkdir(parents=True, exist_ok=True)
        rules = RULES if thresholds is None else read_thresholds(thresholds, RULES)
        page = outdir / keys.report_name(sample)
        write_sample_report(h5ad, records, page, denoised=denoised, superres=superres, rules=rules)


if __name__ == "__main__":
    main()
