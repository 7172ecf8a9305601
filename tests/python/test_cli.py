"""The ``clearspot`` command."""

import runpy
import subprocess
import sys
import zipfile

import anndata as ad
import numpy as np
import pytest
from click.testing import CliRunner

from clearspot import __version__
from clearspot.cli import main
from clearspot.contract.settings import settings_of
from clearspot.diffst.params import DiffstParams


def test_version():
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert __version__ in result.output


def test_help_names_the_commands():
    result = CliRunner().invoke(main, ["-h"])
    assert result.exit_code == 0
    assert "simulate" in result.output


@pytest.mark.parametrize("command", ["simulate", "denoise", "superresolve"])
def test_help_imports_nothing_heavy(command):
    program = (
        "import sys, clearspot.cli as c\n"
        f"try:\n    c.main(['{command}', '--help'])\nexcept SystemExit:\n    pass\n"
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


@pytest.mark.parametrize("wrong", ["purple", "-1", "1.5", ""])
def test_simulate_refuses_a_staining_that_is_no_word_and_no_seed(tmp_path, wrong):
    result = CliRunner().invoke(main, ["simulate", str(tmp_path / "out"), "--staining", wrong])
    assert result.exit_code == 2
    assert "is not valid: use default, drawn or a seed" in result.output
    assert not (tmp_path / "out").exists()


def test_simulate_stains_as_it_is_told(tmp_path):
    options = ["--genes", "40", "--width-um", "512", "--um-per-px", "8", "--no-image", "--staining", "7"]
    result = CliRunner().invoke(main, ["simulate", str(tmp_path / "out"), *options])
    assert result.exit_code == 0, result.output
    assert "haematoxylin_amount 1.0," not in (tmp_path / "out/phantom_1/truth/README").read_text()


@pytest.fixture
def section(tmp_path):
    """A file of 64 spots and 12 genes that holds counts and coordinates, and nothing else."""
    rng = np.random.default_rng(0)
    rows, columns = np.divmod(np.arange(64), 8)
    adata = ad.AnnData(rng.poisson(2.0, (64, 12)).astype(np.float32) + 1)
    adata.obsm["spatial"] = np.column_stack([columns, rows]) * 100.0
    adata.write_h5ad(tmp_path / "in.h5ad")
    return tmp_path / "in.h5ad"


SMALL = ["--genes", "all", "--hidden", "8", "--latent", "4", "--epochs", "3", "--threads", "1"]


def test_denoise_takes_a_file_of_any_name_to_a_file_of_any_name(section, tmp_path):
    output = tmp_path / "new" / "out.h5ad"
    result = CliRunner().invoke(main, ["denoise", str(section), "-o", str(output), *SMALL])
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in output.parent.iterdir()) == ["out.dusted.json", "out.h5ad"]
    denoised = ad.read_h5ad(output)
    assert np.isfinite(denoised.layers["denoised"]).all()
    assert denoised.obsm["X_dusted"].shape == (64, 4)
    assert "was missing and has been built" in result.output


def test_denoise_keeps_the_models_where_asked_to(section, tmp_path):
    models = tmp_path / "models"
    arguments = ["denoise", str(section), "-o", str(tmp_path / "out.h5ad"), "--sample", "s1", "--models", str(models)]
    result = CliRunner().invoke(main, [*arguments, *SMALL])
    assert result.exit_code == 0, result.output
    assert "s1.dusted.pt" in [path.name for path in models.iterdir()]


def test_denoise_says_what_is_wrong_with_the_file(section, tmp_path):
    adata = ad.read_h5ad(section)
    adata.X = adata.X * 0.5
    adata.write_h5ad(section)
    result = CliRunner().invoke(main, ["denoise", str(section), "-o", str(tmp_path / "out.h5ad"), *SMALL])
    assert result.exit_code == 65
    assert "not whole" in result.output
    assert not (tmp_path / "out.h5ad").exists()


def test_superresolve_goes_from_a_file_to_the_files_of_the_pipeline(section, tmp_path):
    out = tmp_path / "out"
    small = ["--preset", "test", "--genes", "all", "--factor", "2", "--threads", "1", "--microns-per-pixel", "1"]
    result = CliRunner().invoke(main, ["superresolve", str(section), "-o", str(out), "--sample", "s1", *small])
    assert result.exit_code == 0, result.output
    written = ["s1.diffst.pt", "s1.superres.h5ad", "s1.superres.json", "s1.superres_train.json"]
    assert sorted(path.name for path in out.iterdir()) == written
    assert ad.read_h5ad(out / "s1.superres.h5ad").n_vars == 12


def test_superresolve_has_every_setting_of_the_library():
    options = {option.name for option in main.commands["superresolve"].params}
    assert set(settings_of(DiffstParams)) <= options


def test_denoise_takes_every_option_of_the_pipelines_script(repo):
    script = runpy.run_path(str(repo / "bin" / "dusted_denoise.py"))["main"]
    here = {option.name for option in main.commands["denoise"].params}
    assert {option.name for option in script.params} - here == {"outdir", "verdict_only", "versions"}


@pytest.mark.parametrize("version", ["2", "3"])
def test_export_writes_a_store_of_the_version_that_is_asked_for(section, tmp_path, version):
    output = tmp_path / "new" / "s1.zarr.zip"
    arguments = ["export", str(section), "-o", str(output), "--sample", "s1", "--zarr-format", version]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    names = zipfile.ZipFile(output).namelist()
    assert ("zarr.json" in names, ".zgroup" in names) == (version == "3", version == "2")
    assert any(name.startswith("shapes/s1_spots/") for name in names)


def test_export_without_coordinates_says_so_and_writes_nothing(section, tmp_path):
    adata = ad.read_h5ad(section)
    del adata.obsm["spatial"]
    adata.write_h5ad(section)
    result = CliRunner().invoke(main, ["export", str(section), "-o", str(tmp_path / "s1.zarr.zip")])
    assert result.exit_code == 65
    assert "no obsm['spatial']" in result.output
    assert not (tmp_path / "s1.zarr.zip").exists()
