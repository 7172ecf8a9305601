"""Real Space Ranger output, from samplesheet to report."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from clearspot import keys
from tests.helpers.browser import Browser
from tests.helpers.engine import Run, run_pipeline
from tests.helpers.pages import assert_cohort_page_works, assert_sample_page_works

pytestmark = [pytest.mark.real, pytest.mark.long]

MOUSE = "mouse_cytassist"
GENES = ("Sox11", "Col2a1", "Hoxb2")


@pytest.fixture(scope="module")
def mouse(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of a whole real section with every default but 30 epochs, and super-resolution in its small preset.

    By default, training stops itself after 67 epochs, and predicts held-out counts no better.
    The section's only images are reduced ones, so the lowres image is taken on purpose.
    """
    launch_dir = tmp_path_factory.mktemp("mouse")
    sheet = launch_dir / "samplesheet.csv"
    outs = shared_data / "outs" / MOUSE
    image = outs / "spatial" / "tissue_lowres_image.png"
    sheet.write_text(f"sample,spaceranger_dir,image\n{MOUSE},{outs},{image}\n")
    superres = ("--skip_superres", "false", "--allow_lowres_image", "--diffst_preset", "test")
    shown = ("--dusted_epochs", "30", "--genes_of_interest", ",".join(GENES))
    return run_pipeline(launch_dir, "--input", str(sheet), *shown, *superres)


@pytest.fixture(scope="module")
def mouse_data(mouse: Run) -> ad.AnnData:
    """The AnnData file that came out."""
    assert mouse.exit_code == 0, mouse.log
    return ad.read_h5ad(mouse.outdir / MOUSE / f"{MOUSE}.h5ad")


def test_every_spot_gene_and_umi_is_kept(mouse_data: ad.AnnData) -> None:
    assert mouse_data.shape == (2898, 19465)
    assert int(mouse_data.layers[keys.COUNTS].sum()) == 3_085_005


def test_graph_has_the_hexagons_degree(mouse_data: ad.AnnData) -> None:
    passing = mouse_data.obs[keys.QC_PASS].to_numpy(bool)
    degrees = mouse_data.obsp[keys.CONNECTIVITIES][passing].getnnz(axis=1)
    assert np.median(degrees) == 6
    assert degrees.max() == 6


def test_denoised_values_are_finite_counts_of_the_modelled_genes(mouse_data: ad.AnnData) -> None:
    passing = mouse_data.obs[keys.QC_PASS].to_numpy(bool)
    modelled = mouse_data.var[keys.MODELLED].to_numpy(bool)
    assert 2500 <= modelled.sum() <= 3003  # 2,696 genes have more than 100 counts
    assert mouse_data.var.loc[list(GENES), keys.MODELLED].all()
    denoised = np.asarray(mouse_data.layers[keys.DENOISED])[np.ix_(passing, modelled)]
    assert np.isfinite(denoised).all()
    assert denoised.min() >= 0
    counts = mouse_data.layers[keys.COUNTS][passing][:, modelled]
    totals = pd.Series(np.asarray(counts.sum(axis=1)).ravel())
    assert totals.corr(pd.Series(denoised.sum(axis=1)), method="spearman") > 0.8


def test_domains_are_found(mouse_data: ad.AnnData) -> None:
    passing = mouse_data.obs[keys.QC_PASS].to_numpy(bool)
    assert mouse_data.obs.loc[passing, keys.DOMAIN_GMM].nunique() >= 3
    assert mouse_data.obs.loc[~passing, keys.DOMAIN_GMM].isna().all()


def test_denoised_values_are_scored_on_held_out_counts_beside_neighbour_averaging(mouse: Run) -> None:
    assert mouse.exit_code == 0, mouse.log
    metrics = json.loads((mouse.outdir / MOUSE / "metrics.json").read_text())["steps"]["dusted"]["metrics"]
    assert metrics["heldout_counts"] > 100_000
    assert 0 < metrics["heldout_deviance_dusted"] < metrics["heldout_deviance_constant"]
    assert 0 < metrics["heldout_deviance_neighbours"] < metrics["heldout_deviance_constant"]


def test_it_is_super_resolved_as_finely_as_its_image_allows(mouse: Run) -> None:
    assert mouse.exit_code == 0, mouse.log
    steps = json.loads((mouse.outdir / MOUSE / "metrics.json").read_text())["steps"]
    assert steps["superres"]["metrics"]["bin_um"] == pytest.approx(2 * steps["histology"]["metrics"]["um_per_px"])
    # the page shows what the ship rule compares: each forecast that can be written
    page = (mouse.outdir / MOUSE / f"{MOUSE}_report.html").read_text()
    for forecast in ("mean", "spread", "diffusion"):
        assert f"{steps['superres']['metrics'][f'heldout_crps_{forecast}']:.4f}" in page
    predicted = ad.read_h5ad(mouse.outdir / MOUSE / f"{MOUSE}.superres.h5ad")
    assert set(GENES) <= set(predicted.var_names)
    mean = np.asarray(predicted.layers[keys.SUPERRES_MEAN])
    assert np.isfinite(mean).all()
    assert mean.min() >= 0


def test_reports_work_in_a_browser(mouse: Run, browser: Browser) -> None:
    assert mouse.exit_code == 0, mouse.log
    assert_sample_page_works(browser, mouse, MOUSE)
    assert_cohort_page_works(browser, mouse)


def test_reports_are_there_and_small(mouse: Run) -> None:
    report = mouse.outdir / MOUSE / f"{MOUSE}_report.html"
    assert 100_000 < report.stat().st_size <= 10_000_000
    assert "Sox11" in report.read_text()
    assert (mouse.outdir / "multiqc" / "multiqc_report.html").stat().st_size > 100_000


# tests/python/io reads the others
# sample name: (folder, bin size, step that refuses it and words of the reason; None: it runs through)
OTHERS: dict[str, tuple[str, str, tuple[str, str] | None]] = {
    "scanpy_v1": ("toy_scanpy_v1", "", ("qc", "0 of 100 spots pass quality control")),
    "probes": ("toy_scanpy_v2_probe", "", ("check", "only raw_probe_bc_matrix.h5")),
    "seurat_hd8": ("toy_seurat_hd", "8", ("qc", "39 of 100 genes have more than 100 counts")),
    "seurat_hd16": ("toy_seurat_hd", "16", ("check", "no position for 2053 of the matrix's 2695 barcodes")),
    "visiumio_hd": ("toy_visiumio_hd002", "2", ("check", "no counts in tissue")),
    "sfe_parent": ("toy_sfe_v2", "", ("check", "2 samples: sample01/outs, sample02/outs")),
    "voltron": ("toy_voltron_v1", "", None),
    "vendor": ("vendor_grid_human", "", None),
}


@pytest.fixture(scope="module")
def others(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One run over every other folder, going on past those that cannot be used."""
    launch_dir = tmp_path_factory.mktemp("others")
    rows = [f"{name},{shared_data / 'outs' / folder},{bins}" for name, (folder, bins, _) in OTHERS.items()]
    sheet = launch_dir / "samplesheet.csv"
    sheet.write_text("\n".join(["sample,spaceranger_dir,bin_size_um", *rows]) + "\n")
    run = run_pipeline(
        launch_dir,
        *("--input", str(sheet), "--on_bad_sample", "skip"),
        # that they run through is the question here; the real training is the mouse section's
        *("--dusted_epochs", "2", "--moran_n_genes", "5", "--moran_n_perms", "5"),
    )
    assert run.exit_code == 0, run.log
    return run


@pytest.mark.parametrize("name", [name for name, (_, _, refusal) in OTHERS.items() if refusal])
def test_folder_that_cannot_be_used_is_refused_with_its_reason(others: Run, name: str) -> None:
    step, words = OTHERS[name][2] or ("", "")
    row = pd.read_csv(others.outdir / "qc_summary.csv").set_index("sample").loc[name]
    assert row["failed_step"] == step
    assert words in row["reason"]
    assert not (others.outdir / name / f"{name}.h5ad").exists()


@pytest.mark.parametrize(
    ("name", "n_spots", "n_genes", "n_umi"),
    [
        ("voltron", 100, 32_285, 2_593_849),
        ("vendor", 2172, 36_601, 1_720_934),
    ],
)
def test_folder_that_can_be_used_runs_through(others: Run, name: str, n_spots: int, n_genes: int, n_umi: int) -> None:
    adata = ad.read_h5ad(others.outdir / name / f"{name}.h5ad")
    assert adata.shape == (n_spots, n_genes)
    assert int(adata.layers[keys.COUNTS].sum()) == n_umi
    assert (others.outdir / name / f"{name}_report.html").is_file()


def test_memory_asked_for_follows_the_samples_size(others: Run) -> None:
    asked = others.trace.query("step == 'SPOT_QC'").set_index("tag")["memory"]
    gigabytes = {name: float(words.split()[0]) for name, words in asked.items() if words.endswith(" GB")}
    # 100 spots x 32,285 genes, and 2,172 x 36,601
    assert 2 <= gigabytes["voltron"] < 2.3
    assert 2.9 < gigabytes["vendor"] < 3.4


def test_each_page_is_made_of_its_own_samples_records(others: Run) -> None:
    summary = pd.read_csv(others.outdir / "qc_summary.csv").set_index("sample")
    assert sorted(summary.index) == sorted(OTHERS)
    seen = {}
    for name in OTHERS:
        steps = json.loads((others.outdir / name / "metrics.json").read_text())["steps"]
        assert name in (others.outdir / name / f"{name}_report.html").read_text()
        seen[name] = steps["check"]["metrics"].get("umis_in_tissue")
    counted = {"voltron": 2_593_849, "vendor": 1_720_934}
    assert {name: seen[name] for name in counted} == counted
