#!/usr/bin/env python3
"""Read one Space Ranger outs folder and write it as one AnnData file."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from clearspot import keys
from clearspot.errors import exit_codes
from clearspot.io.atomic import write_h5ad
from clearspot.io.ingest import STEP, ingest_outs


@click.command(context_settings={"show_default": True})
@click.option("--sample", required=True, help="Sample name.")
@click.option("--outs", type=click.Path(path_type=Path), required=True, help="Outs folder or archive.")
@click.option("--image", type=click.Path(path_type=Path), help="Full-resolution histology image.")
@click.option("--bin-size-um", type=click.IntRange(min=1), help="Visium HD: side of the bins (8 unless given).")
@click.option(
    "--microns-per-pixel",
    type=click.FloatRange(min=0, min_open=True),
    help="Micrometres per full-resolution pixel, instead of what positions and scale factors say.",
)
@click.option("--allow-lowres-image", is_flag=True, help="Accept an image smaller than the one the positions refer to.")
@click.option("--outdir", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where to write.")
def main(
    sample: str,
    outs: Path,
    image: Path | None,
    bin_size_um: int | None,
    microns_per_pixel: float | None,
    allow_lowres_image: bool,
    outdir: Path,
) -> None:
    """Read one Space Ranger outs folder and write SAMPLE.h5ad and SAMPLE.ingest.json."""
    outdir.mkdir(parents=True, exist_ok=True)
    with exit_codes(), TemporaryDirectory(prefix=".unpacked-", dir=outdir) as unpack_to:
        adata, record = ingest_outs(
            outs,
            sample,
            image=image,
            bin_size_um=bin_size_um,
            microns_per_pixel=microns_per_pixel,
            allow_lowres_image=allow_lowres_image,
            unpack_to=Path(unpack_to),
        )
        write_h5ad(adata, outdir / keys.h5ad_name(sample))
        record.write(outdir / keys.record_name(sample, STEP))


if __name__ == "__main__":
    main()
