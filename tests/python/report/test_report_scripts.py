"""The scripts that Nextflow runs, with the options that its modules pass."""

import os
import subprocess
import sys
from pathlib import Path

from clearspot import keys
from tests.helpers.made_sample import Made, refused


def run(repo: Path, script: str, *options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(repo / "bin" / script), *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_sample_report_writes_page_and_metrics(made: Made, repo: Path, tmp_path: Path) -> None:
    records = tmp_path / "records"
    records.mkdir()
    for path in made.write():
        path.rename(records / path.name)
    done = run(
        repo, "sample_report.py", "--outdir", tmp_path / "good", "--sample", "good", "--h5ad", made.h5ad,
        "--records", records,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "good").iterdir()) == ["good_report.html", "metrics.json"]


def test_sample_report_of_a_refused_sample_needs_no_data(repo: Path, tmp_path: Path) -> None:
    record = refused("bad", tmp_path)
    done = run(repo, "sample_report.py", "--outdir", tmp_path / "out", "--sample", "bad", "--record", record)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / keys.report_name("bad")).is_file()


def test_cohort_report_writes_what_its_module_declares(made: Made, repo: Path, tmp_path: Path) -> None:
    made.write()
    versions = tmp_path / "versions.yml"
    versions.write_text("SPOT_QC:\n  scanpy: 1.10.3\n")
    out = tmp_path / "out"
    done = run(
        repo, "cohort_report.py", "--records", made.folder, "--versions", versions, "--outdir", out,
        "--multiqc-config", repo / "assets" / "multiqc_config.yml", "--title", "It's a title",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"multiqc_report.html", "multiqc_data", "qc_summary.csv"} <= {path.name for path in out.iterdir()}
    assert "1.10.3" in (out / "multiqc_report.html").read_text(encoding="utf-8")


def test_limits_of_the_traffic_lights_are_checked_before_anything_runs(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "sheet.csv").write_text("sample,spaceranger_dir\na,a/outs\n")
    (tmp_path / "params.json").write_text("")
    for text, code in (("median_degree: {look: 5}", 0), ("median_degre: {look: 5}", 65)):
        (tmp_path / "limits.yml").write_text(text)
        done = run(
            repo, "samplesheet_check.py", "--samplesheet", tmp_path / "sheet.csv", "--params", tmp_path / "params.json",
            "--schema", repo / "assets" / "schema_input.json", "--params-schema", repo / "nextflow_schema.json",
            "--thresholds", tmp_path / "limits.yml", "--outdir", tmp_path / "out",
        )  # fmt: skip
        assert done.returncode == code, done.stderr
    assert "median_degre:" in done.stderr


def test_scripts_are_executable(repo: Path) -> None:
    assert all(os.access(repo / "bin" / name, os.X_OK) for name in ("sample_report.py", "cohort_report.py"))
