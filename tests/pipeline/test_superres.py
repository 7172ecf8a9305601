"""Super-resolution in the pipeline: with an image, without one, and with references."""

import json
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from clearspot import keys
from clearspot.cli import main as clearspot_command
from clearspot.contract.metrics import check_metrics
from clearspot.learning.checkpoint_file import file_sha256
from clearspot.record import StepRecord
from tests.helpers.browser import Browser
from tests.helpers.engine import Run, branch_off, run_pipeline
from tests.helpers.pages import assert_cohort_page_works, assert_sample_page_works

pytestmark = pytest.mark.long

EDITED = ("--n_domains", "3", "--skip_superres", "false", "--diffst_preset", "test")
QUICK = ("--skip_spatialdata", "--skip_multiqc")
STARTED = "Training started from a model trained on hd, xenium."


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
    arguments = (*EDITED, "--on_bad_sample", "skip", *QUICK)
    return run_pipeline(launch_dir, *resume, "-profile", "test", "--input", str(sheet), *arguments)


def training_of(run: Run) -> dict[str, Any]:
    """What the sample's training recorded."""
    metrics = json.loads((run.outdir / "phantom_1" / "metrics.json").read_text())
    record: dict[str, Any] = metrics["steps"]["superres_train"]
    return record


def test_references_are_learned_from_once(referenced: Run) -> None:
    assert referenced.exit_code == 0, referenced.log
    ((workdir),) = referenced.trace.query("step == 'DIFFUSION_PRETRAIN'")["workdir"]
    script = (Path(workdir) / ".command.sh").read_text()
    assert "--reference references/hd.reference.h5ad --reference references/xenium.reference.h5ad" in script
    assert script.count("--reference ") == 2
    assert "--bin-um 16 --skip-bad-references --seed 0" in script
    name = keys.record_name(keys.COHORT, "superres_pretrain")
    record = StepRecord.read(referenced.outdir / "pipeline_info" / name)
    assert record.status == "ok"
    check_metrics(record.step, record.metrics)
    assert record.tables["references"]["reference"] == ["hd", "xenium"]
    assert record.tables["references"]["image"] == [True, False]
    model = referenced.outdir / "references" / keys.PRETRAINED_NAME
    assert file_sha256(model) == record.metrics["checkpoint_sha256"]


def test_the_training_of_a_sample_starts_from_what_references_taught(referenced: Run, edited_run: Run) -> None:
    ours, theirs = (training_of(run) for run in (referenced, edited_run))
    assert ours["metrics"]["n_references"] == 2
    assert "n_references" not in theirs["metrics"]
    assert ours["metrics"]["loss_mean_final"] != theirs["metrics"]["loss_mean_final"]
    assert STARTED in [message["text"] for message in ours["messages"]]
    assert STARTED not in [message["text"] for message in theirs["messages"]]
    predicted = ad.read_h5ad(referenced.outdir / "phantom_1" / "phantom_1.superres.h5ad")
    assert np.isfinite(np.asarray(predicted.layers[keys.SUPERRES_MEAN])).all()


def test_the_model_of_one_run_serves_another_without_references(
    referenced: Run, phantoms: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "samplesheet.csv"
    sheet.write_text(
        f"sample,spaceranger_dir,image\nphantom_1,{phantoms}/phantom_1/outs,{phantoms}/phantom_1/image.tif\n"
    )
    resume = branch_off(referenced, tmp_path / "launch")
    model = str(referenced.outdir / "references" / keys.PRETRAINED_NAME)
    given = ("--input", str(sheet), "--diffst_pretrained", model)
    run = run_pipeline(tmp_path / "launch", *resume, "-profile", "test", *EDITED, *given, *QUICK)
    assert run.exit_code == 0, run.log
    assert not {"REFERENCE_PREPARE", "DIFFUSION_PRETRAIN"} & set(run.trace["step"])
    ours, theirs = (training_of(one) for one in (run, referenced))
    assert STARTED in [message["text"] for message in ours["messages"]]
    assert ours["metrics"]["loss_mean_final"] == theirs["metrics"]["loss_mean_final"]
    assert not (run.outdir / "references").exists()


def test_a_damaged_reference_is_told_and_the_run_goes_on(referenced: Run) -> None:
    assert "Sample damaged is refused (reference)" in referenced.log
    assert "transcripts.parquet" in (referenced.outdir / "damaged" / "damaged_report.html").read_text()
    assert not (referenced.outdir / "hd").exists()
