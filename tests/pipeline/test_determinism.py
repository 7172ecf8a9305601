"""The same sample, twice, from the start: in two folders, beside different samples, with the same seeds."""

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.engine import Run
from tests.helpers.same_results import assert_same_section, assert_same_tables

pytestmark = pytest.mark.long


def test_arrays_are_equal(first_run: Run, skipped: Run) -> None:
    assert skipped.exit_code == 0, skipped.log
    assert_same_section(*(run.outdir / "phantom_1" / "phantom_1.h5ad" for run in (first_run, skipped)))


def test_tables_have_the_same_bytes(first_run: Run, skipped: Run) -> None:
    names = assert_same_tables(first_run.outdir / "phantom_1", skipped.outdir / "phantom_1")
    assert {Path(name).suffix for name in names} == {".csv"}


def test_rows_of_the_summary_are_equal(first_run: Run, skipped: Run) -> None:
    rows = [pd.read_csv(run.outdir / "qc_summary.csv", dtype=str).set_index("sample") for run in (first_run, skipped)]
    ours, theirs = (table.loc["phantom_1"].dropna() for table in rows)
    assert len(ours) > 10
    assert ours.to_dict() == theirs.to_dict()
