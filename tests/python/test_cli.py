"""The ``clearspot`` command."""

import subprocess
import sys

from click.testing import CliRunner

from clearspot import __version__
from clearspot.cli import main


def test_version():
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert __version__ in result.output


def test_help_names_the_commands():
    result = CliRunner().invoke(main, ["-h"])
    assert result.exit_code == 0
    assert "simulate" in result.output


def test_help_imports_nothing_heavy():
    program = (
        "import sys, clearspot.cli as c\n"
        "try:\n    c.main(['simulate', '--help'])\nexcept SystemExit:\n    pass\n"
        "print('HEAVY', sorted({'numpy', 'scipy', 'pandas', 'anndata', 'torch'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "HEAVY []" in shown


def test_simulate_writes_a_sample_and_says_so(tmp_path):
    options = ["--genes", "40", "--width-um", "512", "--um-per-px", "8", "--no-image", "--truth-002um"]
    result = CliRunner().invoke(main, ["simulate", str(tmp_path / "out"), *options])
    assert result.exit_code == 0, result.output
    assert "phantom_1: v1" in result.output
    assert (tmp_path / "out/phantom_1/outs/filtered_feature_bc_matrix.h5").is_file()
    assert (tmp_path / "out/phantom_1/truth/truth_bins_002um.h5ad").is_file()
    assert (tmp_path / "out/samplesheet.csv").read_text().splitlines()[1] == "phantom_1,phantom_1/outs,,"


def test_simulate_refuses_what_cannot_be_made(tmp_path):
    result = CliRunner().invoke(main, ["simulate", str(tmp_path), "--genes", "3"])
    assert result.exit_code == 2
    assert "at least" in result.output
    assert not (tmp_path / "samplesheet.csv").exists()
