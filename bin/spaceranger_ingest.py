#!/usr/bin/env python3
"""Read one Space Ranger output folder and write it as one AnnData file."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clearspot import keys
from clearspot.io.atomic import write_h5ad
from clearspot.io.options import IMAGE_OPTIONS, OUTS_OPTIONS, SCALE_OPTION, STUDY_OPTIONS, UNIT_OPTION
from clearspot.step_script import StepScript, step_command


@step_command("ingest")
@OUTS_OPTIONS
@UNIT_OPTION
@IMAGE_OPTIONS
@SCALE_OPTION
@STUDY_OPTIONS
def main(script: StepScript, outs: Path, **options: Any) -> None:
    """Write SAMPLE.h5ad and SAMPLE.ingest.json."""
    from clearspot.io.ingest import ingest_outs

    # beside the results, because a node's /tmp is often too small for an unpacked outs folder
    with TemporaryDirectory(prefix=".unpacked-", dir=script.outdir) as unpacked:
        adata, record = ingest_outs(outs, script.sample, unpack_to=Path(unpacked), **options)
        write_h5ad(adata, script.outdir / keys.h5ad_name(script.sample))
    script.write(record)


if __name__ == "__main__":
    main()
