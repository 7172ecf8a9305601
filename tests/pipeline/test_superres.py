"""Super-resolution in the pipeline: with an image, without one, and with references."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from report_browser import Browser

from clearspot import keys
from clearspot.cli import main as clearspot_command

from .engine import Run, branch_off, run_pipeline
from .pages import assert_cohort_page_works, assert_sample_page_works


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


def test_reports_work_in_a_browser(edited_run: Run, browser: Browser) -> None:
    """Of a sample with super-resolution, and of one without an image."""
    for sample in ("phantom_1", "phantom_2"):
        assert_sample_page_works(browser, edited_run, sample)
    assert_cohort_page_works(browser, edited_run)


def test_the_page_says_that_it_is_predicted(edited_run: Run) -> None:
    assert "Predicted, not measured" in (edited_run.outdir / "phantom_1" / "phantom_1_report.html").read_text()


@pytest.fixture(scope="module")
def referenced(edited_run: Run, phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The edited run's first sample again, with references: Visium HD with its image, Xenium, a damaged folder."""
    folder = tmp_path_factory.mktemp("references")
    hd = ["simulate", str(folder / "hd"), "--chemistry", "hd", "--width-um", "1024"]
    assert CliRunner().invoke(clearspot_command, hd).exit_code == 0
    genes = ad.read_h5ad(edited_run.outdir / "phantom_1" / "phantom_1.superres.h5ad").var_names
    rng = np.random.default_rng(0)
    table = {f"{axis}_location": rng.uniform(0, 1000, 20_000).astype(np.float32) for axis in "xy"}
    table |= {"feature_name": rng.choice(genes.to_numpy(), 20_000), "qv": 40.0}
    for name in ("xenium", "damaged"):
        (folder / name).mkdir()
        pd.DataFrame(table).to_parquet(folder / name / "transcripts.parquet")
    (folder / "damaged" / "transcripts.parquet").write_bytes(b"PAR1 and no more")
    sheet = folder / "samplesheet.csv"
    sheet.write_text(
        "sample,spaceranger_dir,image,role\n"
        f"phantom_1,{phantoms}/phantom_1/outs,{phantoms}/phantom_1/image.tif,query\n"
        "hd,hd/phantom_1/outs,hd/phantom_1/image.tif,reference\n"
        "xenium,xenium,,reference\n"
        "damaged,damaged,,reference\n"
    )
    launch_dir = folder / "launch"
    resume = branch_off(edited_run, launch_dir)
    edited = ("--n_domains", "3", "--skip_superres", "false", "--diffst_preset", "test", "--on_bad_sample", "skip")
    quick = ("--skip_spatialdata", "--skip_multiqc")
    return run_pipeline(launch_dir, *resume, "-profile", "test", "--input", str(sheet), *edited, *quick)


def test_the_model_learns_from_references(referenced: Run, edited_run: Run) -> None:
    assert referenced.exit_code == 0, referenced.log
    one, other = (
        json.loads((run.outdir / "phantom_1" / "metrics.json").read_text()) for run in (referenced, edited_run)
    )
    ours, theirs = (metrics["steps"]["superres_train"]["metrics"] for metrics in (one, other))
    assert ours["n_references"] == 2
    assert "n_references" not in theirs
    assert ours["loss_mean_final"] != theirs["loss_mean_final"]
    assert "Learned from hd, xenium besides" in json.dumps(one)
    ((workdir),) = referenced.trace.query("step == 'DIFFUSION_TRAIN'")["workdir"]
    script = (Path(workdir) / ".command.sh").read_text()
    assert "--reference references/hd.reference.h5ad --reference references/xenium.reference.h5ad" in script
    assert script.count("--reference ") == 2
    assert (Path(workdir) / "references" / "hd.reference.histology.npz").exists()


def test_a_damaged_reference_is_told_and_the_run_goes_on(referenced: Run) -> None:
    assert "Sample damaged is refused (reference)" in referenced.log
    assert "transcripts.parquet" in (referenced.outdir / "damaged" / "damaged_report.html").read_text()
    assert not (referenced.outdir / "hd").exists()
