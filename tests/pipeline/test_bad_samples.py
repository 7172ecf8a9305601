"""Samples that cannot be used: all are named in one go, and none costs anything."""

import shutil
from pathlib import Path

import pandas as pd

from .engine import run_pipeline


def _spoil(phantoms: Path) -> None:
    """Two bad samples of different kinds beside a good one."""
    for name in ("bad_positions", "bad_matrix"):
        shutil.copytree(phantoms / "phantom_2", phantoms / name)
    shutil.rmtree(phantoms / "bad_positions" / "outs" / "spatial")
    matrix = phantoms / "bad_matrix" / "outs" / "filtered_feature_bc_matrix.h5"
    matrix.write_bytes(matrix.read_bytes()[:1000])
    (phantoms / "samplesheet.csv").write_text(
        "sample,spaceranger_dir\n"
        "phantom_1,phantom_1/outs\n"
        "bad_positions,bad_positions/outs\n"
        "bad_matrix,bad_matrix/outs\n"
    )


def test_fail_names_every_bad_sample_before_costly_work(own_phantoms: Path, tmp_path: Path) -> None:
    _spoil(own_phantoms)
    run = run_pipeline(tmp_path / "launch", "-profile", "test", "--input", str(own_phantoms / "samplesheet.csv"))
    assert run.exit_code != 0
    assert "2 sample(s) refused at 'check': bad_matrix, bad_positions" in run.log
    assert "to mend" in run.log
    assert set(run.trace["step"]) == {"SAMPLESHEET_CHECK", "SPACERANGER_CHECK"}
    assert [path.name for path in run.outdir.iterdir()] == ["pipeline_info"]


def test_skip_goes_on_with_the_others_and_reports_the_bad(own_phantoms: Path, tmp_path: Path) -> None:
    _spoil(own_phantoms)
    run = run_pipeline(
        tmp_path / "launch",
        "-profile",
        "test",
        "--input",
        str(own_phantoms / "samplesheet.csv"),
        "--on_bad_sample",
        "skip",
        "--dusted_epochs",
        "5",
    )
    assert run.exit_code == 0, run.log
    assert "1 done, 2 refused" in run.log
    assert (run.outdir / "phantom_1" / "phantom_1.h5ad").is_file()
    assert not (run.outdir / "bad_matrix" / "bad_matrix.h5ad").exists()
    table = pd.read_csv(run.outdir / "qc_summary.csv").set_index("sample")
    assert set(table.index) == {"phantom_1", "bad_matrix", "bad_positions"}
    assert table.loc["bad_positions", "status"] != table.loc["phantom_1", "status"]
    assert "spatial" in (run.outdir / "bad_positions" / "bad_positions_report.html").read_text()


def test_sample_that_fails_qc_is_refused(own_phantoms: Path, tmp_path: Path) -> None:
    run = run_pipeline(
        tmp_path / "launch",
        "-profile",
        "test",
        "--input",
        str(own_phantoms / "samplesheet.csv"),
        "--qc_min_counts",
        "10000000",
    )
    assert run.exit_code != 0
    assert "2 sample(s) refused at 'qc': phantom_1, phantom_2" in run.log
    assert "DUSTED_DENOISE" not in set(run.trace["step"])


def test_validate_only_stops_after_the_check(phantoms: Path, tmp_path: Path) -> None:
    run = run_pipeline(
        tmp_path / "launch", "-profile", "test", "--input", str(phantoms / "samplesheet.csv"), "--validate_only"
    )
    assert run.exit_code == 0, run.log
    assert "every sample is fit to run" in run.log
    assert set(run.trace["step"]) == {"SAMPLESHEET_CHECK", "SPACERANGER_CHECK"}


def test_bad_sheet_and_bad_parameter_are_told_together(own_phantoms: Path, tmp_path: Path) -> None:
    (own_phantoms / "samplesheet.csv").write_text("sample,spaceranger_dir\na b,phantom_1/outs\n")
    run = run_pipeline(
        tmp_path / "launch", "--input", str(own_phantoms / "samplesheet.csv"), "--qc_mito_threshold", "400"
    )
    assert run.exit_code != 0
    assert "qc_mito_threshold" in run.log
    assert "a b" in run.log
    assert set(run.trace["step"]) == {"SAMPLESHEET_CHECK"}
