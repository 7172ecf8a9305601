#!/usr/bin/env python3
"""Integrate the sections of one study, find the domains that they share, and compare conditions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clearspot import keys
from clearspot.contract.options import INPUT_FOLDER, options_of
from clearspot.dusted.params import DustedParams
from clearspot.step_script import StepScript, step_command
from clearspot.study.params import StudyParams

_OF_DUSTED = ("epochs", "precision", "device", "threads", "max_spots_per_tile")


@step_command("study")
@click.option("--sections", type=INPUT_FOLDER, required=True, help="Folder with the AnnData files of the sections.")
@click.option("--n-expected", type=click.IntRange(min=1), help="Number of sections of the study in the samplesheet.")
@options_of(StudyParams)
@options_of(DustedParams, *_OF_DUSTED)
def main(script: StepScript, sections: Path, n_expected: int | None, **settings: Any) -> None:
    """Write SAMPLE.h5ad, SAMPLE.study.json, tables, domains for Loupe Browser in loupe/ and the model in models/."""
    from clearspot.study.files import write_study
    from clearspot.study.run import integrate_study

    of_dusted = {name: settings.pop(name) for name in _OF_DUSTED}
    dusted = DustedParams.preset(settings.pop("preset"), **of_dusted)
    models = script.outdir / keys.MODELS_FOLDER
    models.mkdir(exist_ok=True)
    result = integrate_study(
        sorted(sections.glob("*.h5ad")),
        script.sample,
        StudyParams(**settings),
        dusted,
        n_expected=n_expected,
        checkpoint=models / keys.dusted_checkpoint_name(script.sample),
    )
    write_study(result, script.sample, script.outdir)
    script.write(result.record)


if __name__ == "__main__":
    main()
