"""What a run is started with: samplesheet and parameters, checked together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from clearspot import keys
from clearspot.errors import BadInputError
from clearspot.io.collecting import collecting
from clearspot.io.params import check_params
from clearspot.io.samplesheet import Samplesheet, load_samplesheet
from clearspot.record import StepRecord

STEP: Final = "samplesheet"


def check_run_inputs(
    samplesheet: Path,
    schema: Path,
    params: Path,
    params_schema: Path,
    *further: Callable[[], object],
) -> tuple[Samplesheet, StepRecord]:
    """Check everything that a run is started with, so that all problems are reported at once.

    Parameters
    ----------
    samplesheet
        The samplesheet.
    schema
        JSON Schema of the samplesheet.
    params
        All parameters of the run as JSON; an empty file: they are not checked.
    params_schema
        ``nextflow_schema.json``.
    further
        Checks of other files, each of which raises :class:`BadInputError`.

    Returns
    -------
    The valid samplesheet, and the record of the step.

    Raises
    ------
    BadInputError
        With the problems of all checks.
    """
    record = StepRecord(keys.COHORT, STEP)
    sheet = Samplesheet([], [])
    given = params.read_text(encoding="utf-8").strip()
    with collecting(record):
        if given:
            check_params(json.loads(given), params_schema)
    with collecting(record):
        sheet = load_samplesheet(samplesheet, schema)
        record.messages += sheet.messages
    for check in further:
        with collecting(record):
            check()
    if record.problems:
        raise BadInputError(record.problems)
    roles = [row.role for row in sheet.rows]
    record.metrics = {"n_query": roles.count("query"), "n_reference": roles.count("reference")}
    return sheet, record
