#!/usr/bin/env python3
"""Check one Space Ranger output folder and its image before any expensive step."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clearspot.io.options import IMAGE_OPTIONS, OUTS_OPTIONS, SCALE_OPTION, UNIT_OPTION
from clearspot.step_script import StepScript, step_command


@step_command("check")
@OUTS_OPTIONS
@UNIT_OPTION
@IMAGE_OPTIONS
@SCALE_OPTION
def main(script: StepScript, outs: Path, **options: Any) -> None:
    """Write SAMPLE.check.json, or list all problems of the input and exit with 65."""
    from clearspot.io.preflight import check_outs

    # beside the results, because a node's /tmp is often too small for an unpacked outs folder
    with TemporaryDirectory(prefix=".unpacked-", dir=script.outdir) as unpacked:
        record = check_outs(outs, script.sample, unpack_to=Path(unpacked), **options)
    script.write(record)


if __name__ == "__main__":
    main()
