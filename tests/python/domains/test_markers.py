import numpy as np
import pandas as pd
import pytest

from clearspot.domains import markers
from clearspot.domains.markers import marker_genes, marker_profile
from clearspot.qc.run import run_qc
from tests.helpers.sections import section


@pytest.fixture
def adata():
    made = section()
    run_qc(made, "s")
    x = made.obsm["spatial"][:, 0]
    made.obs["domain"] = pd.Categorical(np.where(x < x.mean(), "1", "2"))
    return made


def listed(table, domain):
    return [gene for gene, of in zip(table["gene"], table["domain"], strict=True) if of == domain]


def test_genes_high_in_a_domain_mark_it(adata):
    table, small = marker_genes(adata, "domain", n_markers=10)
    assert small == []
    assert {int(gene.removeprefix("Gene")) // 40 for gene in listed(table, "1")} == {0}
    assert {int(gene.removeprefix("Gene")) // 40 for gene in listed(table, "2")} == {1}
    assert len(table["gene"]) == 20


def test_a_marker_comes_with_its_change_its_p_value_and_where_it_is_seen(adata):
    table, _ = marker_genes(adata, "domain", n_markers=3)
    assert min(table["log2_fold_change"]) > 1
    assert max(table["p_adjusted"]) < 1e-6
    assert all(
        inside > outside for inside, outside in zip(table["percent_inside"], table["percent_outside"], strict=True)
    )


def test_spots_without_a_domain_and_failing_genes_are_left_out(adata):
    adata.var.loc[adata.var_names[:20], "qc_pass"] = False
    adata.obs.loc[adata.obs_names[::2], "domain"] = np.nan
    table, _ = marker_genes(adata, "domain", n_markers=40)
    assert not set(table["gene"]) & set(adata.var_names[:20])


def test_a_domain_of_two_spots_is_not_tested(adata):
    adata.obs["domain"] = adata.obs["domain"].cat.add_categories("3")
    adata.obs.loc[adata.obs_names[:2], "domain"] = "3"
    table, small = marker_genes(adata, "domain")
    assert small == ["3"]
    assert set(table["domain"]) == {"1", "2"}


def test_a_single_domain_has_no_markers(adata):
    adata.obs["domain"] = pd.Categorical(["1"] * adata.n_obs)
    table, _ = marker_genes(adata, "domain")
    assert table["gene"] == []


def test_of_many_spots_a_draw_is_compared(adata, monkeypatch):
    monkeypatch.setattr(markers, "_SPOTS", 60)
    table, _ = marker_genes(adata, "domain", n_markers=5)
    assert {int(gene.removeprefix("Gene")) // 40 for gene in listed(table, "1")} == {0}


def test_the_profile_of_a_marker_is_its_expression_in_every_domain(adata):
    table, _ = marker_genes(adata, "domain", n_markers=5)
    profile = marker_profile(adata, "domain", table, most=2)
    best = [*listed(table, "1")[:2], *listed(table, "2")[:2]]
    assert profile["gene"][::2] == best
    assert profile["marks"][::2] == ["1", "1", "2", "2"]
    assert profile["domain"] == ["1", "2"] * 4
    inside = (adata.obs["domain"] == "2").to_numpy()
    values = adata[inside, best[0]].X.toarray()
    assert profile["mean"][1] == pytest.approx(values.mean(), rel=1e-5)
    assert profile["percent"][1] == pytest.approx(100 * (values > 0).mean())


def test_without_markers_there_is_no_profile(adata):
    adata.obs["domain"] = pd.Categorical(["1"] * adata.n_obs)
    table, _ = marker_genes(adata, "domain")
    assert marker_profile(adata, "domain", table)["gene"] == []
