"""Samples that cannot be used: all are named in one go, and none costs anything."""

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.engine import Run, run_again

pytestmark = pytest.mark.long


def test_fail_names_every_bad_sample_before_costly_work(failed: Run) -> None:
    assert failed.exit_code != 0
    assert "2 sample(s) refused at 'check': bad_matrix, bad_positions" in failed.log
    assert "to fix" in failed.log
    assert set(failed.trace["step"]) == {"SAMPLESHEET_CHECK", "SPACERANGER_CHECK"}
    assert {path.name for path in failed.outdir.iterdir()} == {"pipeline_info", "ro-crate-metadata.json"}


def test_skip_goes_on_with_the_others_and_reports_the_bad(skipped: Run) -> None:
    assert skipped.exit_code == 0, skipped.log
    assert "1 done, 2 refused" in skipped.log
    assert skipped.steps("CACHED") == {
        ("SPACERANGER_CHECK", name) for name in ("phantom_1", "bad_positions", "bad_matrix")
    }
    assert (skipped.outdir / "phantom_1" / "phantom_1.h5ad").is_file()
    assert not (skipped.outdir / "bad_matrix" / "bad_matrix.h5ad").exists()
    table = pd.read_csv(skipped.outdir / "qc_summary.csv").set_index("sample")
    assert set(table.index) == {"phantom_1", "bad_matrix", "bad_positions"}
    assert table.loc["bad_positions", "status"] != table.loc["phantom_1", "status"]
    assert "spatial" in (skipped.outdir / "bad_positions" / "bad_positions_report.html").read_text()


def test_sample_that_fails_qc_is_refused(first_run: Run, phantoms: Path, tmp_path: Path) -> None:
    run = run_again(first_run, phantoms, tmp_path, "--qc_min_counts", "10000000")
    assert run.exit_code != 0
    assert "2 sample(s) refused at 'qc': phantom_1, phantom_2" in run.log
    assert "DUSTED_DENOISE" not in set(run.trace["step"])


def test_validate_only_stops_after_the_check(first_run: Run, phantoms: Path, tmp_path: Path) -> None:
    run = run_again(first_run, phantoms, tmp_path, "--validate_only")
    assert run.exit_code == 0, run.log
    assert "all samples passed" in run.log
    assert set(run.trace["step"]) == {"SAMPLESHEET_CHECK", "SPACERANGER_CHECK"}
