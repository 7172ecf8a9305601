#!/usr/bin/env python3
"""Check one Space Ranger output folder and its image before anything costly runs on them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from clearspot import keys
from clearspot.errors import BadInputError, exit_codes
from clearspot.io.preflight import check_outs


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option("--outs", type=click.Path(path_type=Path), required=True, help="Outs folder or archive.")
@click.option("--image", type=click.Path(path_type=Path), help="Full-resolution histology image.")
@click.option("--bin-size-um", type=int, help="Visium HD: side of the bins; 8 where left out.")
@click.option("--microns-per-pixel", type=float, help="Overrides what positions and scale factors say.")
@click.option("--allow-lowres-image", is_flag=True, help="Take a reduced image for the full-resolution one.")
@click.option("--verdict-only", is_flag=True, help="Write the verdict and exit with 0, whatever it is.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to write.")
def main(
    sample: str,
    outs: Path,
    image: Path | None,
    bin_size_um: int | None,
    microns_per_pixel: float | None,
    allow_lowres_image: bool,
    verdict_only: bool,
    outdir: Path,
) -> None:
    """Write SAMPLE.check.json; or, if the input is bad, say everything that is wrong with it and exit with 65."""
    with exit_codes():
        outdir.mkdir(parents=True, exist_ok=True)
        # beside the results, because a node's /tmp is often too small for an unpacked outs folder
        with TemporaryDirectory(prefix=".unpacked-", dir=outdir) as unpacked:
            record = check_outs(
                outs,
                sample,
                image=image,
                bin_size_um=bin_size_um,
                microns_per_pixel=microns_per_pixel,
                allow_lowres_image=allow_lowres_image,
                unpack_to=Path(unpacked),
            )
        if record.problems and not verdict_only:
            raise BadInputError(record.problems)
        record.write(outdir / keys.record_name(sample, record.step))


if __name__ == "__main__":
    main()
