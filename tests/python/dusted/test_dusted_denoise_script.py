import inspect
import os
import runpy
import subprocess
import sys
from dataclasses import fields

import anndata as ad
import numpy as np
import pytest
from click.testing import CliRunner

from clearspot import keys
from clearspot.dusted.command import denoise_file
from clearspot.dusted.params import DustedParams
from clearspot.io.atomic import write_h5ad
from clearspot.record import StepRecord

SMALL = ["--hidden", "8", "--latent", "4", "--epochs", "6", "--lr", "0.01", "--threads", "1"]


@pytest.fixture
def run(repo, tmp_path, adata):
    """Function that runs the script on the small section."""
    write_h5ad(adata, tmp_path / "in.h5ad")

    def call(*arguments: str, outdir: str = "out") -> subprocess.CompletedProcess:
        command = [sys.executable, str(repo / "bin" / "dusted_denoise.py"), "--sample", "s1"]
        command += ["--h5ad", str(tmp_path / "in.h5ad"), "--outdir", str(tmp_path / outdir), *arguments]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    return call


def test_writes_what_it_promises(run, tmp_path):
    (tmp_path / "always.txt").write_text("g11\nABSENT\n")
    done = run(*SMALL, "--always-genes", str(tmp_path / "always.txt"), "--seed", "4", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    models = ["dusted.pt", "dusted_attention.npz", "dusted_gene_attention.csv", "dusted_loss.csv"]
    assert files == [*(f"models/s1.{name}" for name in models), "s1.dusted.json", "s1.h5ad"]
    adata = ad.read_h5ad(out / "s1.h5ad")
    assert adata.var[keys.MODELLED].sum() == 11
    assert np.isfinite(adata[adata.obs[keys.QC_PASS], "g11"].layers[keys.DENOISED]).all()
    record = StepRecord.read(out / "s1.dusted.json")
    assert record.params["seed"] == 4
    assert "1 of 2 genes of interest are not in the sample: ABSENT." in done.stderr
    assert "epoch 6/6" in done.stderr


def run_here(repo, adata, tmp_path, *arguments: str):
    """The same in this process: starting PyTorch anew takes seconds."""
    write_h5ad(adata, tmp_path / "in.h5ad")
    script = runpy.run_path(str(repo / "bin" / "dusted_denoise.py"))
    files = ["--sample", "s1", "--h5ad", str(tmp_path / "in.h5ad"), "--outdir", str(tmp_path / "out")]
    return CliRunner().invoke(script["main"], [*files, *SMALL, *arguments])


def test_a_gpu_that_is_not_there_exits_69_and_leaves_nothing(repo, adata, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = run_here(repo, adata, tmp_path, "--device", "cuda")
    assert done.exit_code == 69
    assert "cuda is not available" in done.output
    assert not list((tmp_path / "out").rglob("*.h5ad"))


def test_bad_data_exit_65(repo, adata, tmp_path):
    del adata.obsp[keys.CONNECTIVITIES], adata.obsm[keys.SPATIAL]
    done = run_here(repo, adata, tmp_path)
    assert done.exit_code == 65
    assert "obsm['spatial']" in done.output


def test_every_option_is_a_setting_of_the_library(repo):
    script = runpy.run_path(str(repo / "bin" / "dusted_denoise.py"))
    known = {field.name for field in fields(DustedParams)} | set(inspect.signature(denoise_file).parameters)
    assert {option.name for option in script["main"].params} - {"outdir", "verdict_only", "versions"} <= known
