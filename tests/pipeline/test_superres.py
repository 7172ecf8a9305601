"""Super-resolution in the pipeline: with an image, and without one."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from clearspot import keys

from .engine import Run, run_pipeline


@pytest.fixture(scope="module")
def run(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two samples, the second without its image, super-resolved by a model that is small and hardly trained."""
    folder = tmp_path_factory.mktemp("superres")
    sheet = pd.read_csv(phantoms / "samplesheet.csv")
    for column in ("spaceranger_dir", "image"):
        sheet[column] = [str(phantoms / entry) for entry in sheet[column]]
    sheet.loc[1, "image"] = None
    sheet.to_csv(folder / "samplesheet.csv", index=False)
    superres = ("--skip_superres", "false", "--diffst_preset", "test")
    return run_pipeline(folder, "-profile", "test", "--input", str(folder / "samplesheet.csv"), *superres)


def test_predicted_values_are_marked_finite_and_of_the_wanted_size(run: Run) -> None:
    assert run.exit_code == 0, run.log
    predicted = ad.read_h5ad(run.outdir / "phantom_1" / "phantom_1.superres.h5ad")
    assert bool(predicted.uns[keys.UNS]["predicted"])
    mean = np.asarray(predicted.layers[keys.SUPERRES_MEAN])
    assert np.isfinite(mean).all()
    assert (mean >= 0).all()
    metrics = json.loads((run.outdir / "phantom_1" / "metrics.json").read_text())["steps"]["superres"]["metrics"]
    assert metrics["bin_um"] == 16
    assert (metrics["n_bins_on_tissue"], metrics["n_genes"]) == predicted.shape


def test_measured_values_are_not_touched(run: Run) -> None:
    sample = ad.read_h5ad(run.outdir / "phantom_1" / "phantom_1.h5ad")
    assert not {keys.SUPERRES_MEAN, keys.SUPERRES_SD} & set(sample.layers)


def test_a_sample_without_an_image_goes_through_without_it(run: Run) -> None:
    assert not (run.outdir / "phantom_2" / "phantom_2.superres.h5ad").exists()
    assert "no full-resolution image" in (run.outdir / "phantom_2" / "phantom_2_report.html").read_text()


def test_the_page_says_that_it_is_predicted(run: Run) -> None:
    assert "Predicted, not measured" in (run.outdir / "phantom_1" / "phantom_1_report.html").read_text()
