"""The page of a study, read as a file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clearspot.report.study import write_study_report
from clearspot.study.files import write_study
from clearspot.study.params import StudyParams
from clearspot.study.run import integrate_study
from tests.helpers.page_reader import HOSTILE, Page
from tests.helpers.studies import made_section, write_sections


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three sections without a comparison, with a hostile word in its messages."""
    folder = tmp_path_factory.mktemp("study")
    sections = [made_section(f"s{n}", seed=n, condition="ab"[n % 2], batch="one") for n in range(3)]
    result = integrate_study(
        write_sections(folder / "sections", *sections), "demo", StudyParams(n_domains=3, integration="none")
    )
    result.record.note("info", HOSTILE)
    write_study(result, "demo", folder)
    result.record.write(folder / "demo.study.json")
    write_study_report(folder / "demo.h5ad", folder / "demo.study.json", folder / "demo_report.html")
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "demo_report.html").read_text(encoding="utf-8"))


def test_all_sections_are_on_one_map_in_one_colour_scheme(page: Page) -> None:
    chart = page.data["charts"]["map-domain_study"]
    assert [trace["name"] for trace in chart["data"]] == [f"Domain 0{number} (144)" for number in (1, 2, 3)]
    assert len({trace["marker"]["color"] for trace in chart["data"]}) == 3
    assert [label["text"] for label in chart["layout"]["annotations"]] == ["s0", "s1", "s2"]
    shades = {trace["name"]: trace["marker"]["color"] for trace in page.data["charts"]["composition"]["data"]}
    assert set(shades.values()) == {trace["marker"]["color"] for trace in chart["data"]}


def test_the_table_of_sections_has_what_the_samplesheet_states(folder: Path) -> None:
    """No donor is stated, so there is no column of donors."""
    html = (folder / "demo_report.html").read_text(encoding="utf-8")
    (table,) = re.findall(r"<table(?:(?!</table>).)*Median counts per spot.*?</table>", html, flags=re.DOTALL)
    assert re.findall(r"<th[^>]*>([^<]+)</th>", table)[:3] == ["Section", "Batch", "Condition"]
    assert "Donor" not in table


def test_why_conditions_were_not_compared_is_said(page: Page) -> None:
    assert "Conditions were not compared. The donor of s0, s1, s2 is not stated." in page.text


def test_nothing_from_the_data_becomes_markup(page: Page) -> None:
    assert HOSTILE in page.text
    assert [tag for tag, attrs in page.tags if tag == "img" or "onerror" in attrs] == []


def test_its_numbers_are_those_of_the_record(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    record = json.loads((folder / "demo.study.json").read_text())
    assert metrics["sample"] == "demo"
    assert metrics["steps"]["study"]["metrics"] == record["metrics"]
