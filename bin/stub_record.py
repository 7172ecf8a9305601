#!/usr/bin/env python3
"""Write a step's record without running the step, for stub runs of the pipeline."""

import json
from pathlib import Path
from typing import Any

import click

from clearspot.contract.options import FOLDER
from clearspot.contract.steps import STEPS, get_step
from clearspot.keys import COHORT
from clearspot.record import StepRecord
from clearspot.version import write_versions


def _metrics(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    metrics = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        try:
            metrics[name] = json.loads(value)
        except json.JSONDecodeError as error:
            raise click.BadParameter(f"{pair} is not NAME=VALUE with a JSON value") from error
        if not (name and equals):
            raise click.BadParameter(f"{pair} is not NAME=VALUE with a JSON value")
    return metrics


@click.command()
@click.option("--step", "name", type=click.Choice([step.name for step in STEPS]), required=True, help="Name of a step.")
@click.option("--sample", default=COHORT, help="Sample name. Omit for a step that runs once for all samples.")
@click.option("--outdir", type=FOLDER, default=Path(), help="Output folder.  [default: current folder]")
@click.option(
    "--versions", type=click.Path(path_type=Path, dir_okay=False), help="YAML file to write with the software versions."
)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    callback=_metrics,
    metavar="NAME=VALUE",
    help="Metric of the record, with a JSON value. Can be repeated.",
)
def main(name: str, sample: str, outdir: Path, versions: Path | None, metrics: dict[str, Any]) -> None:
    """Write the step's record with status ok. A step without a record writes its versions only."""
    step = get_step(name)
    if step.scope != "run" and sample == COHORT:
        raise click.UsageError(f"the step {name} needs --sample")
    outdir.mkdir(parents=True, exist_ok=True)
    if step.record is not None:
        StepRecord(sample, name, metrics=metrics).write(outdir / step.record_name(sample))
    if versions is not None:
        write_versions(step, versions)


if __name__ == "__main__":
    main()
