#!/usr/bin/env python3
"""Lay a reference of high resolution onto bins, for the training of every sample."""

from __future__ import annotations

from pathlib import Path

import click

from clearspot.errors import BadInputError, exit_codes


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option("--outs", type=click.Path(path_type=Path), required=True, help="Visium HD outs, or a Xenium folder.")
@click.option("--bin-um", type=click.FloatRange(min=0, min_open=True), default=16.0, help="Side of the bins wanted.")
@click.option("--bin-size-um", type=click.IntRange(min=1), help="Visium HD: side of the bins that are read; 8.")
@click.option("--microns-per-pixel", type=click.FloatRange(min=0, min_open=True), help="Overrides the outs' own.")
@click.option("--verdict-only", is_flag=True, help="Write the verdict and exit with 0, whatever it is.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where to write.")
def main(
    sample: str,
    outs: Path,
    bin_um: float,
    bin_size_um: int | None,
    microns_per_pixel: float | None,
    verdict_only: bool,
    outdir: Path,
) -> None:
    """Write SAMPLE.reference.h5ad and SAMPLE.reference.json; or say what is wrong with the input and exit with 65."""
    with exit_codes():
        from clearspot.diffst.reference_file import prepare_reference  # takes seconds to import; --help should not

        outdir.mkdir(parents=True, exist_ok=True)
        record = prepare_reference(
            outs, outdir, sample, bin_um=bin_um, bin_size_um=bin_size_um, microns_per_pixel=microns_per_pixel
        )
        if record.problems and not verdict_only:
            raise BadInputError(record.problems)


if __name__ == "__main__":
    main()
