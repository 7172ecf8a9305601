"""The scripts that stand at the gate: exit codes, what they write, and what they leave behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clearspot.record import StepRecord

GOOD = "sample,spaceranger_dir,bin_size_um\nS1,outs/S1,\nR1,outs/R1,8\n"


@pytest.fixture
def check_sheet(tmp_path: Path, repo: Path, script):
    """Run samplesheet_check.py on a sheet and parameters."""

    def _check(sheet: str, params: dict | None) -> Result:
        (tmp_path / "sheet.csv").write_text(sheet)
        (tmp_path / "params.json").write_text("" if params is None else json.dumps(params))
        words = {
            "--samplesheet": tmp_path / "sheet.csv",
            "--schema": repo / "assets/schema_input.json",
            "--params": tmp_path / "params.json",
            "--params-schema": repo / "nextflow_schema.json",
            "--outdir": tmp_path / "out",
        }
        return CliRunner().invoke(
            script("samplesheet_check").main, [str(word) for pair in words.items() for word in pair]
        )

    return _check


@pytest.fixture
def check_sample(tmp_path: Path, script):
    """Run spaceranger_check.py."""

    def _check(outs: Path, *flags: str) -> Result:
        words = ["--sample", "S1", "--outs", str(outs), "--outdir", str(tmp_path / "out"), *flags]
        return CliRunner().invoke(script("spaceranger_check").main, words)

    return _check


def test_good_sheet_is_written_with_every_key(check_sheet, tmp_path: Path):
    result = check_sheet(GOOD, {"input": "sheet.csv", "outdir": "out"})
    assert result.exit_code == 0
    rows = json.loads((tmp_path / "out/samplesheet.valid.json").read_text())
    assert rows[0] == {
        "sample": "S1",
        "spaceranger_dir": "outs/S1",
        "image": None,
        "role": "query",
        "bin_size_um": None,
        "microns_per_pixel": None,
        "image_alignment": None,
        "unit": None,
        "study": None,
        "batch": None,
        "donor": None,
        "condition": None,
    }
    record = StepRecord.read(tmp_path / "out/cohort.samplesheet.json")
    assert record.metrics == {"n_query": 2, "n_reference": 0}


def test_row_31_bad_sheet_and_bad_parameters_are_one_message_and_write_nothing(check_sheet, tmp_path: Path):
    result = check_sheet("sample,spaceranger_dir\nS 1,outs\nS2,\n", {"input": "sheet.csv", "outdir": "out", "seed": -1})
    assert result.exit_code == 65
    assert result.stderr.count("sample   ") == 3
    for word in ("--seed -1", "sheet.csv, line 2, column sample", "sheet.csv, line 3, column spaceranger_dir"):
        assert word in result.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_parameters_that_are_not_to_be_validated_come_as_an_empty_file(check_sheet):
    assert check_sheet(GOOD, None).exit_code == 0


def test_warnings_are_in_the_record_and_on_stderr(check_sheet, tmp_path: Path):
    result = check_sheet("sample,spaceranger_dir,imag\nS1,outs,x.tif\n", {"input": "sheet.csv", "outdir": "out"})
    assert "imag" in result.stderr
    (message,) = StepRecord.read(tmp_path / "out/cohort.samplesheet.json").messages
    assert message.level == "warning"


def test_good_sample_gets_a_record(outs, check_sample, tmp_path: Path):
    assert check_sample(outs().root).exit_code == 0
    record = StepRecord.read(tmp_path / "out/S1.check.json")
    assert (record.sample, record.step, record.status) == ("S1", "check", "ok")


def test_bad_sample_writes_nothing(outs, check_sample, tmp_path: Path):
    made = outs()
    (made.spatial / "scalefactors_json.json").write_text("{}")
    result = check_sample(made.root)
    assert result.exit_code == 65
    assert "ERROR: Bad input" in result.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_verdict_only_writes_the_record_of_a_bad_sample_too(outs, check_sample, tmp_path: Path):
    made = outs()
    (made.spatial / "scalefactors_json.json").write_text("{}")
    assert check_sample(made.root, "--verdict-only").exit_code == 0
    record = StepRecord.read(tmp_path / "out/S1.check.json")
    assert record.status == "bad_input"
    assert [problem.file for problem in record.problems] == ["spatial/scalefactors_json.json"]


def test_options_reach_the_check(outs, check_sample, tmp_path: Path):
    made = outs(chemistry="hd", bins=(8, 16), full_image=True)
    flags = ["--bin-size-um", "16", "--microns-per-pixel", "0.5", "--allow-lowres-image"]
    check_sample(made.root, "--image", str(tmp_path / "full.tif"), "--verdict-only", *flags)
    assert StepRecord.read(tmp_path / "out/S1.check.json").params == {
        "outs": "outs",
        "image": "full.tif",
        "bin_size_um": 16,
        "unit": "bins",
        "microns_per_pixel": 0.5,
        "allow_lowres_image": True,
    }


@pytest.mark.parametrize("name", ["samplesheet_check.py", "spaceranger_check.py"])
def test_script_runs_as_a_program(repo: Path, name: str):
    path = repo / "bin" / name
    assert os.access(path, os.X_OK)
    done = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--outdir" in done.stdout


def test_checking_never_imports_torch(repo: Path):
    code = "import sys, clearspot.io.preflight; sys.exit('torch' in sys.modules or 'scanpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
