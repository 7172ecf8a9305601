"""A study of four simulated sections, two donors a condition, from samplesheet to study page."""

from __future__ import annotations

import json
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
from click.testing import CliRunner

from clearspot.cli import main as clearspot_command
from tests.helpers.engine import Run, run_pipeline

pytestmark = pytest.mark.long

STUDY = "demo"
PLANTED = (
    "--study", STUDY, "--condition", "control", "--condition", "treated", "--batches", "2", "--batch-sd", "0.5",
    "--donor-sd", "0.02", "--de-fraction", "0.1", "--lfc", "2",
)  # fmt: skip


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of four small sections that share their genes, and their samplesheet."""
    folder = tmp_path_factory.mktemp("sections")
    size = ("--samples", "4", "--width-um", "1000", "--genes", "150", "--um-per-px", "8", "--no-image")
    result = CliRunner().invoke(clearspot_command, ["simulate", str(folder), *size, *PLANTED])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def run(sections: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with few epochs, and without what a study does not need."""
    arguments = ("--input", str(sections / "samplesheet.csv"), "--dusted_epochs", "5", "--study_n_domains", "2")
    fewer = ("--skip_spatialdata", "true", "--skip_multiqc", "true", "--study_min_spots", "3")
    return run_pipeline(tmp_path_factory.mktemp("study"), "-profile", "test", *arguments, *fewer)


@pytest.fixture(scope="module")
def metrics(run: Run) -> dict:
    """Metrics of the study."""
    assert run.exit_code == 0, run.log
    return json.loads((run.outdir / "studies" / STUDY / f"{STUDY}.study.json").read_text())["metrics"]


def test_the_batches_are_corrected_and_the_conditions_are_not(metrics: dict) -> None:
    assert (metrics["n_sections"], metrics["n_batches"], metrics["n_conditions"]) == (4, 2, 2)
    assert metrics["batch_corrected"]
    assert not metrics["batch_confounded"]
    assert metrics["mixing_after"] > metrics["mixing_before"] + 0.2
    assert metrics["n_domains_of_one_section"] == 0


def test_genes_that_were_planted_are_found(run: Run, sections: Path, metrics: dict) -> None:
    truth = ad.read_h5ad(sections / "phantom_2" / "truth" / "truth_spots.h5ad").var["condition_factor"]
    table = pd.read_csv(run.outdir / "studies" / STUDY / f"{STUDY}_differences.csv")
    assert metrics["compared"]
    assert metrics["n_genes_changed"] >= 8
    # one gene of ten is planted; the sections hold the tissues in other shares too, which changes others
    surest = table.head(8)
    planted = truth.loc[surest["gene"]].to_numpy()
    assert (surest["p_adjusted"] < 0.001).all()
    changed = planted != 1
    assert changed.mean() > 0.8
    assert ((surest["log2_fold_change"] > 0) == (planted > 1))[changed].all()


def test_every_section_is_in_the_files_of_the_study(run: Run, metrics: dict) -> None:
    folder = run.outdir / "studies" / STUDY
    adata = ad.read_h5ad(folder / f"{STUDY}.h5ad")
    assert adata.n_obs == metrics["n_spots"]
    for sample in (f"phantom_{number}" for number in range(1, 5)):
        spots = pd.read_csv(folder / "loupe" / f"{sample}_domain_study.csv")
        assert len(spots) == (adata.obs["sample_id"] == sample).sum() > 0
    page = (folder / f"{STUDY}_report.html").read_text(encoding="utf-8")
    assert "phantom_4" in page
    assert "treated" in page
