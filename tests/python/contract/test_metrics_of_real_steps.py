"""What every step really records, super-resolution included, against the declaration: both ways."""

import subprocess
import sys
from pathlib import Path

import anndata as ad
import pytest
from click.testing import CliRunner

from clearspot import keys
from clearspot.cli import main as clearspot_command
from clearspot.contract.metrics import check_metrics, metrics_of
from clearspot.contract.steps import RECORDED
from clearspot.diffst.data.reference_file import prepare_reference
from clearspot.diffst.output.command import embed_file, pretrain_files, sample_file, train_file
from clearspot.domains.params import DomainParams
from clearspot.domains.run import find_domains
from clearspot.dusted import denoise
from clearspot.dusted.params import DustedParams
from clearspot.export.spatialdata_zarr import write_spatialdata
from clearspot.export.study_store import write_study_spatialdata
from clearspot.graph.build import build_graph
from clearspot.io.atomic import write_h5ad
from clearspot.io.ingest import ingest_outs
from clearspot.io.preflight import check_outs
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from clearspot.record import StepRecord
from clearspot.simulate.phantom import make_phantom
from clearspot.simulate.spaceranger import write_outs
from clearspot.study.files import write_study
from clearspot.study.params import StudyParams
from clearspot.study.run import integrate_study
from tests.helpers.studies import made_section, write_sections

pytestmark = pytest.mark.long

SAMPLE = "phantom"


def samplesheet_record(repo: Path, folder: Path) -> StepRecord:
    """Record of the step that is a script alone."""
    (folder / "sheet.csv").write_text("sample,spaceranger_dir\na,a/outs\n")
    (folder / "params.json").write_text("")
    options = {
        "--samplesheet": folder / "sheet.csv", "--schema": repo / "assets" / "schema_input.json",
        "--params": folder / "params.json", "--params-schema": repo / "nextflow_schema.json", "--outdir": folder,
    }  # fmt: skip
    words = [str(word) for pair in options.items() for word in pair]
    subprocess.run([sys.executable, str(repo / "bin" / "samplesheet_check.py"), *words], check=True)
    return StepRecord.read(folder / keys.record_name(keys.COHORT, "samplesheet"))


@pytest.fixture(scope="module")
def records(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, StepRecord]:
    """Record of every step, of a small phantom with an image and a reference."""
    folder = tmp_path_factory.mktemp("results")
    phantom = make_phantom(3, width_um=2000, n_genes=120)
    files = write_outs(phantom, tmp_path_factory.mktemp("outs"), chemistry="v1", sample=SAMPLE, um_per_px=2.0)
    assert files.image is not None
    adata, ingest = ingest_outs(files.outs, SAMPLE, image=files.image)
    gene = str(adata.var_names[3])
    found = [
        samplesheet_record(repo, tmp_path_factory.mktemp("sheet")),
        check_outs(files.outs, SAMPLE, image=files.image),
        ingest,
        run_qc(adata, SAMPLE, QCParams(genes_of_interest=(gene,), hvg_min_counts=20)),
        build_graph(adata, SAMPLE),
        denoise(adata, sample=SAMPLE, epochs=2, hidden=16, latent=5, holdout=0.2, progress=False).record,
        find_domains(adata, SAMPLE, DomainParams(n_domains=3, moran_n_genes=10, moran_n_perms=5)),
    ]
    h5ad = folder / keys.h5ad_name(SAMPLE)
    write_h5ad(adata, h5ad)

    (folder / "hd").mkdir()
    hd = ["simulate", str(folder / "hd"), "--chemistry", "hd", "--width-um", "512", "--genes", "120"]
    assert CliRunner().invoke(clearspot_command, hd).exit_code == 0
    made = folder / "hd" / "phantom_1"
    found.append(prepare_reference(made / "outs", folder, "hd", bin_um=16.0, image=made / "image.tif"))

    found.append(embed_file(h5ad, files.image, folder, SAMPLE, preset="test", bin_um=16.0))
    (folder / "genes.txt").write_text(f"{gene}\n")
    common = {"preset": "test", "bin_um": 16.0, "always_genes": folder / "genes.txt", "threads": 1}
    histology = folder / keys.histology_name(SAMPLE)
    found.append(pretrain_files((folder / keys.reference_name("hd"),), folder, bin_um=16.0, preset="test", threads=1))
    model = folder / keys.PRETRAINED_NAME
    found.append(train_file(h5ad, histology, folder, SAMPLE, start_from=model, **common))
    checkpoint = folder / keys.diffst_checkpoint_name(SAMPLE)
    found.append(sample_file(h5ad, histology, checkpoint, folder, SAMPLE, **common).record)
    sections = [
        made_section(f"s{number}", seed=number, donor=f"d{number}", batch=f"b{number % 2}", condition="ab"[number // 2])
        for number in range(4)
    ]
    files = write_sections(folder / "sections", *sections)
    study = StudyParams(n_domains=3)
    result = integrate_study(files, "study", study, DustedParams(epochs=2, hidden=16, latent=5))
    write_study(result, "study", folder)
    whole = ad.read_h5ad(folder / keys.h5ad_name("study"))
    found.append(result.record)
    found.append(write_study_spatialdata(whole, "study", files, folder / keys.spatialdata_name("study")))
    found.append(write_spatialdata(adata, SAMPLE, folder / keys.spatialdata_name(SAMPLE)))
    return {record.step: record for record in found}


def test_every_step_has_a_record(records: dict[str, StepRecord]) -> None:
    assert set(records) == set(RECORDED)
    assert {step: record.problems for step, record in records.items() if record.status != "ok"} == {}


@pytest.mark.parametrize("step", RECORDED)
def test_what_a_step_records_is_declared(records: dict[str, StepRecord], step: str) -> None:
    check_metrics(step, records[step].metrics)


@pytest.mark.parametrize("step", RECORDED)
def test_what_is_declared_without_a_condition_is_recorded(records: dict[str, StepRecord], step: str) -> None:
    always = {metric.name for metric in metrics_of(step) if not metric.when}
    measured = {name for name, value in records[step].metrics.items() if value is not None}
    assert sorted(always - measured) == []


def test_a_condition_is_only_stated_where_the_metric_can_be_absent(records: dict[str, StepRecord]) -> None:
    """This phantom has all that a spot section can have, so what it lacks is short, and known."""
    missing = {
        (step, metric.name)
        for step, record in records.items()
        for metric in metrics_of(step)
        if record.metrics.get(metric.name) is None
    }
    hd = {("check", "bin_size_um"), ("ingest", "bin_size_um"), ("check", "bins_available")}
    hd |= {("ingest", "fraction_umi_in_cells"), ("qc", "median_cell_area_um2"), ("qc", "percent_cells_without_nucleus")}
    hd |= {
        ("qc", name)
        for name in (
            "row_stripes_percent",
            "column_stripes_percent",
            "stripes_percent",
            "is_destriped",
            "stripes_left_percent",
            "n_border_bins",
            "border_to_inner_counts",
        )
    }
    pretrained = {("superres_train", "seconds_diffusion"), ("superres_train", "loss_diffusion_final")}
    others = {("check", "superres_reason"), ("ingest", "n_antibodies"), ("dusted", "checkpoint_sha256")}
    others.add(("qc", "largest_region_mm2"))
    # the reference is too small for a block that is held out
    small = {("superres_pretrain", f"pearson_{way}") for way in ("model", "plain", "gene_head")}
    encoder = {("reference", "image_encoder"), ("histology", "image_encoder")}
    assert missing == hd | pretrained | small | others | encoder
