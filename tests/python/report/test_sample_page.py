"""The page of a sample, read as a file: what is in it, what is said about what is not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from made_sample import Made, make_adata, make_records
from page_reader import HOSTILE, page_of

from clearspot import keys
from clearspot.report.page import LARGEST_PAGE


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
    assert "Median UMI Counts per Spot 62 measured here" in text


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
    said = "they explain 6.2 % of the deviance, neighbours 1.8 %; median gene correlation 0.03."
    assert f"predict better than averaging does: {said}" in page_of(made).text


def test_domains_sort_as_numbers_do(made: Made) -> None:
    labels = [str(1 + number % 12) for number in range(made.adata.n_obs)]
    made.adata.obs[keys.DOMAIN_GMM] = pd.Categorical(labels)
    traces = page_of(made).data["charts"]["map-domain_gmm"]["data"]
    names = [trace["name"].split(" (")[0] for trace in traces]
    assert names == [f"Domain {number:02d}" for number in range(1, 13)]
    assert len({trace["marker"]["color"] for trace in traces}) == 12


def test_metrics_json_stands_beside_the_page(made: Made) -> None:
    page_of(made)
    metrics = json.loads((made.folder / keys.METRICS_NAME).read_text())
    assert metrics["steps"]["qc"]["metrics"]["median_percent_mt"] == 5.0
    assert (metrics["verdict"]["light"], metrics["verdict"]["title"]) == ("good", "Usable:")


def test_limits_stand_on_the_page_with_their_source(made: Made) -> None:
    text = page_of(made).text
    assert "Valid Barcodes 97.1 % below 75.0 % below 50.0 % 10x: alert and error of the web summary" in text


def test_held_out_counts_judge_the_denoiser(made: Made) -> None:
    made.records["dusted"].metrics["heldout_beats_neighbours"] = False
    said = "On held-out counts the denoised values predict no better than plain averages do: use them for looking."
    made.records["dusted"].note("warning", said)
    text = page_of(made).text
    assert "DUSTED 0.1240 6.2 % 0.0300" in text
    assert "predict no better than plain averages do" in text
    assert "Look before you use it: denoised values predict held-out counts no better than plain averages." in text


def test_the_same_input_makes_the_same_page(made: Made) -> None:
    assert _html(made) == _html(made)


def _html(made: Made) -> str:
    page_of(made)
    return (made.folder / "page.html").read_text(encoding="utf-8")
