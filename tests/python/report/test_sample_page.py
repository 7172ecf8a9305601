"""The page of a sample, read as a file: what is in it, what is said about what is not."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from made_sample import Made, add_superres, make_adata, make_records, refused

from clearspot import keys
from clearspot.record import StepRecord
from clearspot.report import canvas_kinds, gene_maps, sample, violins
from clearspot.report.gene_pack import PackedGenes, unpack
from clearspot.report.page import LARGEST_PAGE
from clearspot.report.sample import write_sample_report
from clearspot.report.store import decode

HOSTILE = "</script><img src=x onerror=alert(1)>%{x}"


class Page(HTMLParser):
    """What a browser would find in the page."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._data = self._script = ""
        self._in = ""
        self.feed(text)
        self.data: dict[str, Any] = json.loads(self._data) if self._data else {"charts": {}, "store": {}, "pickers": {}}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.words += " "
        self._in = "data" if dict(attrs).get("id") == "page-data" else tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "data":
            self._data += data
        elif not self._in:
            self.words += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", self.words)


def page_of(made: Made, superres: Path | None = None) -> Page:
    out = made.folder / "page.html"
    records = made.write()
    write_sample_report(made.h5ad, records, out, superres=superres)
    return Page(out.read_text(encoding="utf-8"))


def with_arrays(item: Any, store: dict[str, Any], gene: str) -> Any:
    """Fill in references as the page's script does."""
    if isinstance(item, dict) and "ref" in item:
        entry = store[item["ref"].replace("$gene", gene)]
        values = decode(entry) if isinstance(entry, dict) else np.asarray(entry)
        if "where" in item:
            values = values[decode(store[item["where"]]) == item["is"]]
        return (values.reshape(-1, item["columns"]) if "columns" in item else values).tolist()
    if isinstance(item, dict):
        return {name: with_arrays(part, store, gene) for name, part in item.items()}
    if isinstance(item, list):
        return [with_arrays(part, store, gene) for part in item]
    return (
        {"$ink": "#000000", "$grid": "#cccccc", "$muted": "#888888"}.get(item, item) if isinstance(item, str) else item
    )


def packed_of(data: dict[str, Any]) -> PackedGenes:
    """The packed genes of a page's data."""
    genes = dict(data["genes"])
    order, chunk_genes, levels = (genes.pop(name) for name in ("order", "genes", "levels"))
    return PackedGenes(np.array(order), chunk_genes=chunk_genes, chunk_levels=levels, **genes)


def arrays_of(data: dict[str, Any]) -> dict[str, Any]:
    """The page's store and the maps of its first gene."""
    arrays = dict(data["store"])
    if data.get("genes"):
        gene = data["genes"]["names"][0]
        for kind, values in zip(("measured", "denoised"), unpack(packed_of(data), gene), strict=True):
            arrays[f"{kind}:{gene}"] = values
    return arrays


def test_every_chart_is_one_that_plotly_accepts(made: Made) -> None:
    data = page_of(made).data
    gene = data["genes"]["names"][0]
    assert len(data["charts"]) >= 15
    for chart in data["charts"].values():
        figure = with_arrays(chart, arrays_of(data), gene)
        go.Figure(data=figure["data"], layout=figure["layout"])


def test_charts_of_a_raster_are_ones_that_plotly_accepts(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 50)
    page = page_of(made)
    gene = page.data["genes"]["names"][0]
    kinds = set()
    for chart in page.data["charts"].values():
        figure = with_arrays(chart, arrays_of(page.data), gene)
        kinds |= {trace.type for trace in go.Figure(data=figure["data"], layout=figure["layout"]).data}
    assert "heatmap" in kinds
    assert "too many to draw individually" in page.text


def test_every_chart_has_its_place_and_every_place_its_chart(made: Made) -> None:
    page = page_of(made)
    places = [attrs["data-chart"] for tag, attrs in page.tags if "data-chart" in attrs]
    assert sorted(places) == sorted(page.data["charts"])
    assert len(set(places)) == len(places)


def test_no_chart_is_empty(made: Made) -> None:
    data = page_of(made).data
    for name, chart in data["charts"].items():
        assert chart["data"], name


def test_maps_draw_the_values_of_the_file(made: Made) -> None:
    packed = packed_of(page_of(made).data)
    assert sorted(packed.names) == sorted(made.adata.var_names)
    for gene in ("Gene7", "Gene23"):
        measured, denoised = unpack(packed, gene)
        np.testing.assert_array_equal(measured, made.adata[:, gene].layers[keys.COUNTS].toarray().ravel())
        np.testing.assert_allclose(denoised, made.adata[:, gene].layers[keys.DENOISED].ravel(), rtol=0.01)


def test_genes_of_interest_come_first_then_what_gained_markers_and_the_most_spatial_ones(made: Made) -> None:
    made.records["domains"].tables["moran"]["measured"] = [0.1] * 5 + [0.9] + [0.0] * 4
    groups = dict(page_of(made).data["pickers"]["gene"]["groups"])
    assert [genes for _, genes in list(groups.items())[:4]] == [["Gene7"], ["Gene9", "Gene4"], ["Gene0"], ["Gene1"]]
    assert groups["Markers of Domain 02"] == ["Gene1"]
    assert next(genes for heading, genes in groups.items() if heading.startswith("Most spatially"))[0] == "Gene5"


def test_a_page_says_what_to_do_where_a_gene_is_missing(made: Made) -> None:
    text = page_of(made).text
    assert "Gene missing? This page has all 30 denoised genes." in text
    assert "add it with --genes_of_interest" in text


def test_a_page_without_room_for_all_genes_says_how_many_it_has(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sample.denoise_section
    monkeypatch.setattr(sample, "denoise_section", lambda view, _: whole(view, 4_000))
    page = page_of(made)
    here = len(page.data["genes"]["names"])
    assert 1 < here < 30
    assert f"This page has {here} of the 30 denoised genes" in page.text
    assert page.data["genes"]["names"][:3] == ["Gene7", "Gene9", "Gene4"]


def test_genes_are_the_same_however_few_are_read_at_once(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = page_of(made).data["genes"]
    for genes_at_once in (1, 4):
        monkeypatch.setattr(gene_maps, "VALUES_AT_ONCE", genes_at_once * made.adata.n_obs)
        assert page_of(made).data["genes"] == whole


def test_a_marker_that_was_not_modelled_has_its_measured_map_only(made: Made) -> None:
    made.adata.var.loc["Gene0", keys.MODELLED] = False
    made.adata.layers[keys.DENOISED][:, 0] = np.nan
    measured, denoised = unpack(packed_of(page_of(made).data), "Gene0")
    np.testing.assert_array_equal(measured, made.adata[:, "Gene0"].layers[keys.COUNTS].toarray().ravel())
    assert denoised is None


def test_a_gene_that_was_not_modelled_is_not_offered(made: Made) -> None:
    made.adata.var.loc["Gene20", keys.MODELLED] = False
    assert "Gene20" not in page_of(made).data["genes"]["names"]


def test_the_page_is_one_file_that_asks_for_nothing(made: Made) -> None:
    page = page_of(made)
    addresses = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href", "action")]
    assert [address for address in addresses if address and not address.startswith(("#", "data:"))] == []
    policies = [attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy"]
    assert policies[0] is not None
    assert policies[0].startswith("default-src 'none'")


def test_the_largest_visium_slide_fits_into_what_viewers_preview(tmp_path: Path) -> None:
    made = Made("big", tmp_path, make_adata(side=119), {})
    made.records = make_records("big", made.adata)
    made.adata.uns[keys.UNS_SPATIAL]["library"]["images"]["hires"] = np.random.default_rng(0).integers(
        0, 255, (2000, 2000, 3), dtype=np.uint8
    )
    made.adata.uns[keys.UNS_SPATIAL]["library"]["scalefactors"]["tissue_hires_scalef"] = 0.8
    page_of(made)
    assert (tmp_path / "page.html").stat().st_size <= LARGEST_PAGE


def test_nothing_from_the_data_becomes_markup(made: Made) -> None:
    adata = made.adata
    names = [HOSTILE, *adata.var_names[1:]]
    adata.var_names = names
    adata.obs[keys.QC_REASON] = np.where(adata.obs[keys.QC_PASS], "", HOSTILE)
    adata.obs_names = [f"{HOSTILE}{number}" for number in range(adata.n_obs)]
    made.records["domains"].tables["moran"]["gene"][0] = HOSTILE
    made.records["domains"].tables["markers"]["gene"][0] = HOSTILE
    made.records["qc"].note("warning", HOSTILE)
    page = page_of(made)
    assert HOSTILE in page.text
    assert [tag for tag, attrs in page.tags if tag == "img" or "onerror" in attrs] == []
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 3
    labels = [trace.get("name", "") for chart in page.data["charts"].values() for trace in chart["data"]]
    assert not [label for label in labels if "<img" in label or "%{x}" in label]


def test_key_numbers_go_by_10x_names(made: Made) -> None:
    text = page_of(made).text
    assert "Valid Barcodes 97.1 % Space Ranger" in text
    assert "Median UMI Counts per Spot 62 computed by clearspot" in text


def test_every_filter_says_what_it_removed(made: Made) -> None:
    text = page_of(made).text
    assert "UMI counts (qc_min_counts) at least 50 12 12 132" in text


def test_a_filter_that_can_remove_nothing_is_not_listed(made: Made) -> None:
    assert "qc_ribo_threshold" not in page_of(made).text
    made.records["qc"].tables["filters"]["threshold"][2] = 5.0
    assert "Ribosomal protein share (qc_ribo_threshold) at least 5 not measured" in page_of(made).text


def test_a_parameter_that_was_not_set_is_automatic(made: Made) -> None:
    made.records["graph"].params["radius"] = None
    assert "radius automatic" in page_of(made).text


def test_the_day_of_the_report_stands_in_its_head(made: Made) -> None:
    before, page, after = datetime.now(UTC), page_of(made), datetime.now(UTC)
    assert any(f"sample report · {day.day} {day:%B %Y}" in page.text for day in (before, after))


def test_a_gain_on_held_out_counts_comes_with_its_size(made: Made) -> None:
    said = "they explain 6.2 % of the deviance, the neighbour mean 1.8 %; median gene correlation 0.03."
    assert f"predict better than averages: {said}" in page_of(made).text


def test_domains_sort_as_numbers_do(made: Made) -> None:
    labels = [str(1 + number % 12) for number in range(made.adata.n_obs)]
    made.adata.obs[keys.DOMAIN_GMM] = pd.Categorical(labels)
    traces = page_of(made).data["charts"]["map-domain_gmm"]["data"]
    names = [trace["name"].split(" (")[0] for trace in traces]
    assert names == [f"Domain {number:02d}" for number in range(1, 13)]
    assert len({trace["marker"]["color"] for trace in traces}) == 12


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("no full-resolution image", "--allow_lowres_image"),
        ("the image has 9 µm per pixel: too coarse, the limit is 5", "add the full-resolution H&E image"),
        (None, "run without --skip_superres"),
    ],
)
def test_a_page_without_super_resolution_says_how_to_get_it(made: Made, reason: str | None, words: str) -> None:
    made.records["check"] = StepRecord("good", "check", metrics={"superres_reason": reason})
    assert words in page_of(made).text


def test_metrics_json_stands_beside_the_page(made: Made) -> None:
    page_of(made)
    metrics = json.loads((made.folder / keys.METRICS_NAME).read_text())
    assert metrics["steps"]["qc"]["metrics"]["median_percent_mt"] == 5.0
    assert (metrics["verdict"]["light"], metrics["verdict"]["title"]) == ("good", "Usable:")


def test_limits_stand_on_the_page_with_their_source(made: Made) -> None:
    text = page_of(made).text
    assert "Valid Barcodes 97.1 % below 75.0 % below 50.0 % 10x: alert and error of the web summary" in text


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
        (without_scale, "The pixel size of this sample is unknown", None),
        (without_denoised, "has no denoised values", "gene-denoised"),
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


def test_held_out_counts_judge_the_denoiser(made: Made) -> None:
    made.records["dusted"].metrics["heldout_beats_neighbours"] = False
    said = "The denoised values do not predict held-out counts better than averages. Use them for display only."
    made.records["dusted"].note("warning", said)
    text = page_of(made).text
    assert "DUSTED 0.1240 6.2 % 0.0300" in text
    assert "do not predict held-out counts better than averages" in text
    assert "Look first: denoised values predict held-out counts no better than averages." in text


def test_without_held_out_counts_nothing_is_claimed(made: Made) -> None:
    record = made.records["dusted"]
    record.metrics = {name: value for name, value in record.metrics.items() if not name.startswith("heldout")}
    del record.tables["heldout_genes"]
    page = page_of(made)
    assert "No counts were held out from training" in page.text
    assert "heldout-genes" not in page.data["charts"]


def test_super_resolution_says_that_it_was_not_run(made: Made) -> None:
    assert "Super-resolution was not run" in page_of(made).text


def test_measured_and_super_resolved_share_their_colours_by_density(made: Made) -> None:
    superres = add_superres(made)
    data = page_of(made, superres).data
    picker = data["pickers"]["superres-gene"]
    gene = next(iter(picker["axes"]))
    assert {"superres-measured", "superres-mean", "superres-sd"} == set(picker["charts"])
    assert f"superres-mean:{gene}" not in picker["axes"]
    bins_of_a_spot = np.pi * 30**2 / 50**2
    (trace,) = data["charts"]["superres-mean"]["data"]
    assert trace["z"]["times"] == pytest.approx(bins_of_a_spot)
    assert "times" not in trace["customdata"]
    predicted = ad.read_h5ad(superres)[:, gene].layers[keys.SUPERRES_MEAN].ravel() * bins_of_a_spot
    measured = made.adata[:, gene].layers[keys.COUNTS].toarray().ravel()
    high = max(np.quantile(predicted, 0.995), np.quantile(measured, 0.995))
    assert picker["axes"][gene]["cmax"] == pytest.approx(np.log1p(high), rel=1e-4)


def test_super_resolution_is_marked_on_each_of_its_maps_and_stands_beside_the_tissue(made: Made) -> None:
    page = page_of(made, add_superres(made))
    assert page.text.count("Predicted, not measured.") == 3
    assert page.data["charts"]["superres-tissue"]["layout"]["images"]
    assert "Agreement with 7 held-out spots" in page.text


@pytest.mark.parametrize(
    ("projection", "words"), [(False, "do not necessarily add up"), (True, "Bins under a spot add up exactly")]
)
def test_super_resolution_says_whether_bins_add_up_to_the_counts(made: Made, projection: bool, words: str) -> None:
    path = add_superres(made)
    made.records["superres"].params["projection"] = projection
    page = page_of(made, path)
    assert words in page.text


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
        "has no denoised values", "Edge effect: not measured",
    ):  # fmt: skip
        assert words in page.text
    assert all(trace_arrays(trace, arrays_of(page.data)) for c in page.data["charts"].values() for trace in c["data"])


def trace_arrays(trace: dict[str, Any], store: dict[str, Any]) -> bool:
    """Whether a trace has anything to draw."""
    drawn = next(trace[name] for name in ("z", "y", "x") if name in trace)
    values = with_arrays(drawn, store, "Gene7")
    return any(value is not None and value == value for value in np.ravel(values))


def test_violins_show_kept_and_removed_spots_and_the_limit(made: Made) -> None:
    page = page_of(made)
    chart = page.data["charts"]["violin-total_counts"]
    kept, removed = (with_arrays(trace["y"], page.data["store"], "") for trace in chart["data"])
    passes = made.adata.obs[keys.QC_PASS].to_numpy(bool)
    totals = made.adata.obs["total_counts"].to_numpy()
    assert (kept, removed) == (totals[passes].tolist(), totals[~passes].tolist())
    assert [trace["name"] for trace in chart["data"]] == ["kept (132)", "removed (12)"]
    assert chart["layout"]["shapes"][0]["y0"] == pytest.approx(np.log1p(50))
    assert "Dotted line: filter limit (at least 50)." in page.text


def test_a_limit_far_from_the_values_does_not_flatten_the_violins(made: Made) -> None:
    made.records["qc"].tables["filters"]["threshold"][1] = 90.0
    page = page_of(made)
    assert "shapes" not in page.data["charts"]["violin-pct_counts_mt"]["layout"]
    assert "The filter limit (at most 90) is outside this axis." in page.text


def test_violins_of_many_spots_are_of_a_part_of_them(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas_kinds, "MOST_DISKS", 50)
    monkeypatch.setattr(violins, "MOST_SPOTS", 50)
    page = page_of(made)
    chart = page.data["charts"]["violin-total_counts"]
    shown = [len(with_arrays(trace["y"], page.data["store"], "")) for trace in chart["data"]]
    assert sum(shown) == 48
    assert "Shapes are based on one spot in 3." in page.text


def test_a_refused_sample_has_a_small_page_that_says_why(tmp_path: Path) -> None:
    out = tmp_path / "bad_report.html"
    write_sample_report(None, [refused("bad", tmp_path, problems=2)], out)
    page = Page(out.read_text(encoding="utf-8"))
    assert "Not processed. The step Input check refused this sample." in page.text
    assert "text among <coordinates>" in page.text
    assert page.data["charts"] == {}
    assert out.stat().st_size < 50_000


def test_the_same_input_makes_the_same_page(made: Made) -> None:
    assert _html(made) == _html(made)


def _html(made: Made) -> str:
    page_of(made)
    return (made.folder / "page.html").read_text(encoding="utf-8")
