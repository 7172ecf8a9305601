"""How results show themselves in a console and in a notebook."""

import pytest

import clearspot
from clearspot.contract.metrics import is_declared
from clearspot.contract.steps import RECORDED
from clearspot.errors import Problem
from clearspot.notebook.shown import HEADLINES
from clearspot.record import StepRecord


@pytest.fixture
def results(section, finer):
    quality = clearspot.qc(section)
    return [quality, clearspot.denoise(section, epochs=3, progress=False), finer]


def test_results_are_one_line(results):
    for result in results:
        assert len(repr(result)) < 300
        assert "\n" not in repr(result)
    assert repr(results[0]).startswith("StepRecord(step='qc', sample='phantom', n_spots_pass=")
    assert "n_genes_modelled=" in repr(results[1])
    assert "heldout_explained_dusted=" in repr(results[1])
    assert repr(results[2]).startswith("SuperresResult(step='superres', sample='phantom', bin_um=")


def test_a_notebook_gets_the_metrics_by_their_titles(results):
    pages = [result._repr_html_() for result in results]
    assert all(len(page) < 20_000 for page in pages)
    assert "Highly variable genes" in pages[0]
    assert "Held-out deviance explained, DUSTED" in pages[1]
    assert "<details><summary>All metrics</summary>" in pages[2]
    assert "record.frame(name)" in pages[0]


def test_text_of_a_user_is_no_markup():
    record = StepRecord("<b>s</b>", "qc", metrics={"n_spots": 1})
    record.note("info", "<script>")
    assert "<script>" not in record._repr_html_()
    assert "<b>s</b>" not in record._repr_html_()


def test_a_refusal_says_so():
    refused = StepRecord.bad_input("s", "qc", [Problem("s", "f", "a", "b", "c")])
    assert repr(refused) == "StepRecord(step='qc', sample='s', status='bad_input')"
    assert "bad_input" in refused._repr_html_()


def test_headlines_are_declared_metrics():
    assert set(HEADLINES) <= set(RECORDED)
    assert [(step, name) for step, names in HEADLINES.items() for name in names if not is_declared(step, name)] == []


def test_tables_as_frames(section):
    record = clearspot.qc(section)
    assert list(record.frame("filters").columns) == list(record.tables["filters"])
    with pytest.raises(KeyError, match="unknown table 'filter'; available: filters"):
        record.frame("filter")
