"""Genes on the page of a sample: which are offered, in what order, and with what maps."""

import numpy as np
import pytest

from clearspot import keys
from clearspot.report import gene_reader, sample
from clearspot.report.gene_pack import unpack
from tests.helpers.made_sample import Made
from tests.helpers.page_reader import packed_of, page_of


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
        monkeypatch.setattr(gene_reader, "VALUES_AT_ONCE", genes_at_once * made.adata.n_obs)
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
