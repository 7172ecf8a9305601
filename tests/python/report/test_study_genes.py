"""Maps of genes on the page of a study."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anndata as ad
import numpy as np
import pytest

from clearspot import keys
from clearspot.report import study as study_page
from clearspot.report.gene_pack import unpack
from clearspot.report.study import write_study_report
from clearspot.study.files import write_study
from clearspot.study.params import StudyParams
from clearspot.study.run import integrate_study
from tests.helpers.browser import Browser
from tests.helpers.page_reader import Page, packed_of
from tests.helpers.studies import made_section, write_sections


@dataclass(frozen=True)
class Made:
    """A study of four sections, one of another depth, with two donors a condition and a gene that differs."""

    folder: Path
    files: list[Path]

    def page(self, out: Path, files: list[Path] | None = None) -> Page:
        """The page, written to a file."""
        sections = self.files if files is None else files
        write_study_report(self.folder / "demo.h5ad", self.folder / "demo.study.json", out, sections)
        return Page(out.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("study")
    sections = []
    for n in range(4):
        changed = {3: 6.0} if n % 2 else {}
        depth = 1800.0 if n == 2 else 600.0
        facts = {"condition": "ab"[n % 2], "donor": f"d{n}", "batch": "one"}
        sections.append(made_section(f"s{n}", seed=n, depth=depth, changed=changed, donor_noise=0.05, **facts))
        sections[-1].obs[keys.QC_PASS] = np.arange(sections[-1].n_obs) != 5
        sections[-1].var[keys.GENE_OF_INTEREST] = sections[-1].var_names == "gene_7"
    files = write_sections(folder / "sections", *sections)
    result = integrate_study(files, "demo", StudyParams(n_domains=3, integration="none", min_spots=3))
    write_study(result, "demo", folder)
    result.record.write(folder / "demo.study.json")
    return Made(folder, files)


@pytest.fixture(scope="module")
def page(made: Made) -> Page:
    return made.page(made.folder / "demo_report.html")


def test_a_gene_is_shown_in_all_sections_on_one_scale(made: Made, page: Page) -> None:
    study = ad.read_h5ad(made.folder / "demo.h5ad")
    packed = packed_of(page.data)
    measured, denoised = unpack(packed, "gene_3")
    assert denoised is None
    expected = []
    for path in made.files:
        section = ad.read_h5ad(path)
        expected.append(section[section.obs[keys.QC_PASS], "gene_3"].layers[keys.COUNTS].toarray().ravel())
    totals = study.obs["total_counts"].to_numpy()
    values = np.concatenate(expected) / totals * np.median(totals)
    # a byte a value: 254 steps of the logarithm
    assert np.abs(np.log1p(measured) - np.log1p(values)).max() <= 0.51 * np.log1p(values.max()) / 254
    assert packed.highs[packed.names.index("gene_3")] == pytest.approx(np.quantile(values, 0.995), rel=0.05)


def test_what_differs_between_conditions_is_offered_after_genes_of_interest(page: Page) -> None:
    groups = page.data["pickers"]["gene"]["groups"]
    assert groups[0] == ["Genes of interest", ["gene_7"]]
    heading, genes = groups[1]
    assert heading == "Smallest p-values between conditions"
    assert genes[0] == "gene_3"
    assert [name for name, _ in groups[2:5]] == [f"Markers of Domain 0{n}" for n in (1, 2, 3)]
    assert groups[-1][0] == "Most variable"


def test_the_map_has_the_names_of_the_sections(page: Page) -> None:
    chart = page.data["charts"]["gene-measured"]
    assert [label["text"] for label in chart["layout"]["annotations"]] == ["s0", "s1", "s2", "s3"]


def test_the_page_says_which_genes_it_has(page: Page) -> None:
    n = len(page.data["genes"]["names"])
    assert n >= 80
    assert f"This page has {n} of the 120 genes that the sections share" in page.text


def test_without_room_there_are_fewer_genes(
    made: Made, monkeypatch: pytest.MonkeyPatch, page: Page, tmp_path: Path
) -> None:
    whole = study_page.study_genes
    monkeypatch.setattr(study_page, "study_genes", lambda view, _: whole(view, 12_000))
    small = made.page(tmp_path / "small.html")
    assert 1 < len(small.data["genes"]["names"]) < len(page.data["genes"]["names"])
    assert small.data["genes"]["names"][:2] == ["gene_7", "gene_3"]


def test_a_file_that_is_missing_is_an_error(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="143 spots of the study are in no file of a section"):
        made.page(tmp_path / "page.html", made.files[:3])


def test_without_files_there_is_no_tab_of_genes(made: Made, tmp_path: Path) -> None:
    page = made.page(tmp_path / "page.html", [])
    assert page.data["genes"] is None
    assert "gene-measured" not in page.data["charts"]


def test_a_gene_of_the_comparison_leads_to_its_map(made: Made, page: Page, browser: Browser) -> None:
    browser.open(made.folder / "demo_report.html", "#differences")
    browser.run("document.querySelector('#differences button[data-gene=gene_3]').click()")
    browser.until("document.querySelector('[data-chart=gene-measured]').dataset.drawn === 'gene_3'")
    assert browser.run("document.querySelector('#genes').checkVisibility()")
    drawn = browser.run("document.querySelector('[data-chart=gene-measured]').data[0].customdata")
    np.testing.assert_allclose(drawn, unpack(packed_of(page.data), "gene_3")[0], rtol=1e-6)
    assert browser.complaints == []
