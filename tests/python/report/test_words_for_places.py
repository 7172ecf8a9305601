"""What measured places are called: pages and the cohort's tables of bins and cells do not speak of spots."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearspot import keys
from clearspot.record import StepRecord
from clearspot.report.cohort_sections import cohort_sections, general_section
from clearspot.report.metrics import SampleRecords, all_places, common_place
from clearspot.report.rules import RULES
from tests.helpers.made_sample import Made, add_picture, add_structure, as_bins, as_cells
from tests.helpers.page_reader import page_of, shown_texts

STATED = {
    "Fraction Reads in Squares Under Tissue": 0.2, "Number of Bins Under Tissue 8 µm": 100.0, "Valid Barcodes": 0.9,
}  # fmt: skip
"""Names of Space Ranger's summary of Visium HD, which has no name with spots."""


def spots_in(texts: list[str]) -> list[str]:
    return [text for text in texts if re.search(r"\bspots?\b", text, re.IGNORECASE)]


@pytest.fixture(params=["bin", "cell"])
def hd(request: pytest.FixtureRequest, made: Made) -> Made:
    """Bins or cells with all that a page may say of them, and each rule beyond its limits."""
    if request.param == "bin":
        as_bins(made)
    else:
        as_cells(made)
    add_structure(made, found=True)
    add_picture(made)
    made.records["ingest"].tables["space_ranger"] = {"metric": list(STATED), "value": list(STATED.values())}
    made.records["dusted"].params["posterior"] = True
    made.records["graph"].metrics["neighbour_likeness"] = 0.2
    made.records["qc"].metrics |= {"percent_spots_pass": 20.0, "percent_spots_in_regions": 30.0}
    del made.records["qc"].tables["edge"]
    made.adata.uns[keys.UNS][keys.REGISTRATION_PICTURES] = {"detected_tissue": a_jpeg(made.folder)}
    return made


def a_jpeg(folder: Path) -> np.ndarray:
    Image.new("RGB", (8, 8)).save(folder / "picture.jpg")
    return np.fromfile(folder / "picture.jpg", dtype=np.uint8)


def test_pages_of_bins_and_cells_do_not_speak_of_spots(hd: Made) -> None:
    page = page_of(hd)
    assert "Fraction Reads in Squares Under Tissue" in page.text
    assert {"picture-scan", "structure", "degree", "detected_tissue"} <= set(page.data["charts"])
    assert spots_in(shown_texts(page)) == []


def test_pages_with_one_piece_and_without_markers_do_not_either(hd: Made) -> None:
    del hd.records["graph"].tables["components"]
    del hd.records["domains"].tables["markers"]
    assert spots_in(shown_texts(page_of(hd))) == []


def test_figures_that_clearspot_measures_are_named_after_the_places(made: Made) -> None:
    as_cells(made)
    made.records["ingest"].tables["space_ranger"] = {"metric": list(STATED), "value": list(STATED.values())}
    assert "Median UMI Counts per Cell 62 computed by clearspot" in page_of(made).text


def test_a_page_of_spots_speaks_of_them(made: Made) -> None:
    made.records["dusted"].params["posterior"] = True
    text = page_of(made).text
    assert "given the spot's own count" in text
    assert "Number of Spots Under Tissue" in text


def texts_of_the_cohort(samples: list[SampleRecords]) -> list[str]:
    """Titles and descriptions of columns that have values, and of sections."""
    found: list[Any] = []
    for section in [general_section(samples, RULES), *cohort_sections(samples, [], SampleRecords("run", {}))]:
        filled = {name for row in section["data"].values() if isinstance(row, dict) for name in row}
        headers = section.get("headers", {})
        pairs = headers.items() if isinstance(headers, dict) else [pair for one in headers for pair in one.items()]
        found += [settings for name, settings in pairs if name in filled]
        found += [section.get("section_name"), section.get("description"), section.get("pconfig")]
    return re.findall(r'"((?:[^"\\]|\\.)*)"', json.dumps(found))


def test_the_cohorts_tables_of_bins_and_cells_do_not_speak_of_spots(hd: Made) -> None:
    texts = texts_of_the_cohort([SampleRecords("good", hd.records)])
    assert len(texts) > 100
    assert spots_in(texts) == []


def test_several_samples_share_a_word_or_are_called_by_all_of_them() -> None:
    def records(**about: Any) -> SampleRecords:
        return SampleRecords("s", {"ingest": StepRecord("s", "ingest", metrics=about)})

    spots, bins, cells = records(), records(bin_size_um=8), records(unit="cells")
    assert (common_place([bins, bins]), all_places([bins, bins])) == ("bin", "bins")
    assert (common_place([cells, bins]), all_places([cells, bins])) == ("location", "bins and cells")
    assert all_places([cells, bins, spots]) == "spots, bins and cells"
    assert (common_place([]), all_places([])) == ("spot", "spots")
