"""Super-resolution in the pipeline: with an image, and without one."""

import json

import anndata as ad
import numpy as np

from clearspot import keys

from .engine import Run


def test_predicted_values_are_marked_finite_and_of_the_wanted_size(edited_run: Run) -> None:
    assert edited_run.exit_code == 0, edited_run.log
    predicted = ad.read_h5ad(edited_run.outdir / "phantom_1" / "phantom_1.superres.h5ad")
    assert bool(predicted.uns[keys.UNS]["predicted"])
    mean = np.asarray(predicted.layers[keys.SUPERRES_MEAN])
    assert np.isfinite(mean).all()
    assert (mean >= 0).all()
    metrics = json.loads((edited_run.outdir / "phantom_1" / "metrics.json").read_text())["steps"]["superres"]["metrics"]
    assert metrics["bin_um"] == 16
    assert (metrics["n_bins_on_tissue"], metrics["n_genes"]) == predicted.shape


def test_measured_values_are_not_touched(edited_run: Run) -> None:
    sample = ad.read_h5ad(edited_run.outdir / "phantom_1" / "phantom_1.h5ad")
    assert not {keys.SUPERRES_MEAN, keys.SUPERRES_SD} & set(sample.layers)


def test_a_sample_without_an_image_goes_through_without_it(edited_run: Run) -> None:
    assert not (edited_run.outdir / "phantom_2" / "phantom_2.superres.h5ad").exists()
    assert "no full-resolution image" in (edited_run.outdir / "phantom_2" / "phantom_2_report.html").read_text()


def test_the_page_says_that_it_is_predicted(edited_run: Run) -> None:
    assert "Predicted, not measured" in (edited_run.outdir / "phantom_1" / "phantom_1_report.html").read_text()
