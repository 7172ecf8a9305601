"""A study of three real sections of a mouse olfactory bulb, from samplesheet to study page and SpatialData store."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest
import spatialdata as sd

from tests.helpers.engine import Run, run_pipeline
from tests.helpers.mob_outs import SECTIONS, write_mob_outs

pytestmark = [pytest.mark.long, pytest.mark.real]

STUDY = "bulb"


@pytest.fixture(scope="module")
def run(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with few epochs, and without what a study does not need."""
    folder = tmp_path_factory.mktemp("mob")
    for section in SECTIONS:
        write_mob_outs(folder / section, shared_data, section)
    rows = [{"sample": name, "spaceranger_dir": f"{name}/outs", "study": STUDY} for name in SECTIONS]
    pd.DataFrame(rows).to_csv(folder / "sheet.csv", index=False)
    fewer = ("--skip_superres", "true", "--moran_n_perms", "10", "--dusted_epochs", "5")
    arguments = ("--input", str(folder / "sheet.csv"), "--study_n_domains", "5", *fewer)
    done = run_pipeline(tmp_path_factory.mktemp("run"), "-profile", "test", *arguments)
    assert done.exit_code == 0, done.log
    return done


@pytest.fixture(scope="module")
def study(run: Run) -> ad.AnnData:
    """The file of the study."""
    return ad.read_h5ad(run.outdir / "studies" / STUDY / f"{STUDY}.h5ad")


def test_the_sections_are_mixed(run: Run) -> None:
    metrics = json.loads((run.outdir / "studies" / STUDY / f"{STUDY}.study.json").read_text())["metrics"]
    assert (metrics["n_sections"], metrics["n_batches"], metrics["n_genes_shared"]) == (3, 3, 1000)
    assert metrics["batch_corrected"]
    # measured: 0.31 before and 1.20 after; 1 is what chance gives
    assert metrics["mixing_before"] < 0.5
    assert metrics["mixing_after"] > 0.9
    assert not metrics["compared"]


def test_every_domain_is_in_every_section(study: ad.AnnData) -> None:
    spots = pd.crosstab(study.obs["sample_id"], study.obs["domain_study"])
    assert spots.shape == (3, 5)
    assert spots.to_numpy().min() > 0


def test_the_page_shows_the_sections_and_their_genes(run: Run) -> None:
    page = (run.outdir / "studies" / STUDY / f"{STUDY}_report.html").read_text(encoding="utf-8")
    assert all(section in page for section in SECTIONS)
    assert "of the 1,000 genes that the sections share" in page


def test_the_cohort_report_leads_to_the_page(run: Run) -> None:
    page = (run.outdir / "multiqc" / "multiqc_report.html").read_text(encoding="utf-8")
    assert f'<a href="../studies/{STUDY}/{STUDY}_report.html">study {STUDY}</a>' in page


def test_the_store_has_the_sections_with_their_pictures(run: Run, study: ad.AnnData, tmp_path: Path) -> None:
    with zipfile.ZipFile(run.outdir / "studies" / STUDY / f"{STUDY}.zarr.zip") as archive:
        archive.extractall(tmp_path / "store.zarr")
    store = sd.read_zarr(tmp_path / "store.zarr")
    assert set(store.coordinate_systems) == set(SECTIONS)
    assert set(store.images) == {f"{section}_hires" for section in SECTIONS}
    assert {name: len(shapes) for name, shapes in store.shapes.items()} == {
        f"{section}_spots": (study.obs["sample_id"] == section).sum() for section in SECTIONS
    }
    assert list(store.tables["table"].obs["domain_study"]) == list(study.obs["domain_study"])
