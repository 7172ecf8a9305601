"""What the page of a sample says about what is not there."""

from pathlib import Path
from typing import Any

import anndata as ad
import pytest
from made_sample import Made, add_superres, refused
from page_reader import Page, arrays_of, page_of, trace_arrays

from clearspot import keys
from clearspot.record import StepRecord
from clearspot.report.sample import write_sample_report


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no full-resolution image", "--allow_lowres_image"),
        ("the image has 9 um per pixel: too coarse, 5 is the limit", "name the full-resolution H&E image"),
        (None, "run without --skip_superres"),
    ],
)
def test_a_page_without_super_resolution_says_how_to_get_it(made: Made, reason: str | None, words: str) -> None:
    made.records["check"] = StepRecord("good", "check", metrics={"superres_reason": reason})
    assert words in page_of(made).text


def without_image(adata: ad.AnnData) -> None:
    adata.uns[keys.UNS_SPATIAL]["library"]["images"] = {}


def without_scale(adata: ad.AnnData) -> None:
    del adata.uns[keys.UNS]["microns_per_pixel"]


def without_denoised(adata: ad.AnnData) -> None:
    del adata.layers[keys.DENOISED]


@pytest.mark.parametrize(
    ("spoil", "words", "chart"),
    [
        (without_image, "The sample has no tissue image.", None),
        (without_scale, "Micrometres per pixel are not known", None),
        (without_denoised, "holds no denoised values", "gene-denoised"),
    ],
)
def test_what_the_file_lacks_is_said(made: Made, spoil: Any, words: str, chart: str | None) -> None:
    made.records["ingest"].metrics["microns_per_pixel"] = None
    spoil(made.adata)
    page = page_of(made)
    assert words in page.text
    assert chart not in page.data["charts"]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("qc", "Quality control: not run for this sample."),
        ("graph", "Spatial graph: not run for this sample."),
        ("dusted", "Denoising (DUSTED): not run for this sample."),
        ("domains", "Spatial domains: not run for this sample."),
    ],
)
def test_a_step_that_did_not_run_is_said_and_has_no_empty_chart(made: Made, step: str, words: str) -> None:
    del made.records[step]
    page = page_of(made)
    assert words in page.text
    assert all(chart["data"] for chart in page.data["charts"].values())


def test_records_with_no_more_than_a_name_make_a_page(made: Made) -> None:
    for record in made.records.values():
        record.metrics, record.tables, record.params = {}, {}, {}
    page = page_of(made)
    assert "Moran's I was not measured." in page.text
    assert all(chart["data"] for chart in page.data["charts"].values())


def test_without_mitochondrial_genes_their_share_is_not_zero(made: Made) -> None:
    del made.adata.obs["pct_counts_mt"]
    del made.records["qc"].metrics["median_percent_mt"]
    del made.records["qc"].tables["histogram_pct_counts_mt"]
    page = page_of(made)
    assert "Mitochondrial share: not measured." in page.text
    assert not {"violin-pct_counts_mt", "map-pct_counts_mt"} & set(page.data["charts"])


def test_without_held_out_counts_nothing_is_claimed(made: Made) -> None:
    record = made.records["dusted"]
    record.metrics = {name: value for name, value in record.metrics.items() if not name.startswith("heldout")}
    del record.tables["heldout_genes"]
    page = page_of(made)
    assert "No counts were held out of training" in page.text
    assert "heldout-genes" not in page.data["charts"]


def test_super_resolution_without_a_picture_has_no_empty_place_for_it(made: Made) -> None:
    superres = add_superres(made)
    without_image(made.adata)
    charts = page_of(made, superres).data["charts"]
    assert "superres-mean" in charts
    assert "superres-tissue" not in charts


def test_a_page_with_all_parts_missing_at_once_says_each_and_has_no_empty_chart(made: Made) -> None:
    without_image(made.adata)
    without_denoised(made.adata)
    del made.adata.obs["pct_counts_mt"]
    del made.records["qc"].tables["edge"]
    page = page_of(made)
    for words in (
        "The sample has no tissue image.", "Mitochondrial share: not measured.", "Super-resolution was not run",
        "holds no denoised values", "Edge effect: not measured",
    ):  # fmt: skip
        assert words in page.text
    assert all(trace_arrays(trace, arrays_of(page.data)) for c in page.data["charts"].values() for trace in c["data"])


def test_a_refused_sample_has_a_small_page_that_says_why(tmp_path: Path) -> None:
    out = tmp_path / "bad_report.html"
    write_sample_report(None, [refused("bad", tmp_path, problems=2)], out)
    page = Page(out.read_text(encoding="utf-8"))
    assert "Not processed. The step Input check refused this sample." in page.text
    assert "text among <coordinates>" in page.text
    assert page.data["charts"] == {}
    assert out.stat().st_size < 50_000
