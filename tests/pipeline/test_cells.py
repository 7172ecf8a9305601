"""Segmented cells of Visium HD, from samplesheet to report."""

import json
import re
import zipfile
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import spatialdata as sd

from clearspot import keys
from tests.helpers.cell_outs import write_cell_outs
from tests.helpers.engine import Run, run_pipeline
from tests.helpers.page_reader import Page, shown_texts

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Cells and, beside them, the bins of the same folder."""
    folder = tmp_path_factory.mktemp("cells")
    outs = write_cell_outs(folder / "made", n_genes=400, um_per_px=1.0)
    sheet = folder / "samplesheet.csv"
    sheet.write_text(f"sample,spaceranger_dir,unit\nas_cells,{outs},cells\nas_bins,{outs},\n")
    return run_pipeline(folder / "launch", "--input", str(sheet), "--dusted_epochs", "20", "--qc_destripe", "true")


@pytest.fixture(scope="module")
def cells(run: Run) -> ad.AnnData:
    assert run.exit_code == 0, run.log
    return ad.read_h5ad(run.outdir / "as_cells" / "as_cells.h5ad")


def test_cells_are_denoised_and_put_into_domains(cells: ad.AnnData) -> None:
    assert cells.obs_names.str.startswith("cellid_").all()
    assert 500 < cells.n_obs < 1200
    passing = cells.obs[keys.QC_PASS].to_numpy(bool)
    modelled = cells.var[keys.MODELLED].to_numpy(bool)
    assert np.isfinite(np.asarray(cells.layers[keys.DENOISED])[np.ix_(passing, modelled)]).all()
    assert cells.obs.loc[passing, keys.DOMAIN_GMM].nunique() >= 2
    assert cells.obsp[keys.DISTANCES].data.max() <= 40.0  # µm, and pixels: one is one here


def test_the_store_has_the_outlines(run: Run, cells: ad.AnnData, tmp_path: Path) -> None:
    with zipfile.ZipFile(run.outdir / "as_cells" / "as_cells.zarr.zip") as archive:
        archive.extractall(tmp_path / "as_cells.zarr")
    store = sd.read_zarr(tmp_path / "as_cells.zarr")
    assert set(store.shapes) == {"as_cells_cells", "as_cells_nuclei"}
    outlines = store.shapes["as_cells_cells"]
    assert list(outlines.index) == list(store.tables["table"].obs["spot_id"]) == list(cells.obs_names)
    np.testing.assert_allclose(outlines.area, cells.obs[keys.CELL_AREA], rtol=1e-9)


def test_loupe_and_page_speak_of_cells(run: Run, cells: ad.AnnData) -> None:
    loupe = pd.read_csv(run.outdir / "as_cells" / "loupe" / "as_cells_domains.csv")
    assert set(loupe["Barcode"]) <= set(cells.obs_names)
    page = (run.outdir / "as_cells" / "as_cells_report.html").read_text()
    assert "genes pass. Cells that fail are flagged and kept in the file" in page
    metrics = json.loads((run.outdir / "as_cells" / "metrics.json").read_text())["steps"]
    assert metrics["ingest"]["metrics"]["unit"] == "cells"
    assert 0.5 < metrics["ingest"]["metrics"]["fraction_umi_in_cells"] <= 1


@pytest.mark.parametrize("sample", ["as_cells", "as_bins"])
def test_pages_do_not_speak_of_spots(run: Run, sample: str) -> None:
    page = Page((run.outdir / sample / f"{sample}_report.html").read_text())
    texts = [text for text in shown_texts(page) if re.search(r"\bspots?\b", text, re.IGNORECASE)]
    assert texts == []


def test_bins_of_the_same_folder_are_read_and_the_cells_mentioned(run: Run) -> None:
    assert run.exit_code == 0, run.log
    bins = ad.read_h5ad(run.outdir / "as_bins" / "as_bins.h5ad")
    assert bins.uns[keys.UNS][keys.UNIT] == "bins"
    assert keys.DESTRIPED in bins.layers
    assert keys.STRIPE_FACTOR in bins.obs
    page = (run.outdir / "as_bins" / "as_bins_report.html").read_text()
    assert "The output also has segmented_outputs; bins were read." in page
