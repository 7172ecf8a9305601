import numpy as np
import pytest
import scanpy as sc
from anndata import AnnData
from scipy.sparse import csr_matrix

from clearspot.qc.hvg import _n_varying, hvg_candidates, select_hvgs
from clearspot.qc.params import QCParams
from tests.helpers.sections import from_counts, section


@pytest.fixture
def adata():
    made = section(n_genes=90)
    made.obs["qc_pass"] = True
    made.var["qc_pass"] = True
    return made


def test_genes_that_differ_between_tissues_are_chosen(adata):
    select_hvgs(adata, np.ones(90, dtype=bool), 60)
    assert adata.var["highly_variable"][:60].mean() > 0.9


def test_the_choice_is_scanpys(adata):
    assert select_hvgs(adata, np.ones(90, dtype=bool), 30) == "seurat_v3"
    expected = sc.pp.highly_variable_genes(adata, layer="counts", flavor="seurat_v3", n_top_genes=30, inplace=False)[
        "highly_variable"
    ]
    assert adata.var["highly_variable"].tolist() == expected.tolist()


def test_ranks_start_at_zero_and_are_missing_for_the_rest(adata):
    select_hvgs(adata, np.ones(90, dtype=bool), 30)
    rank = adata.var["highly_variable_rank"]
    assert sorted(rank.dropna()) == list(range(30))
    assert (rank.notna() == adata.var["highly_variable"]).all()


def test_fewer_candidates_than_asked_for_are_all_taken(adata):
    candidates = np.arange(90) < 40
    select_hvgs(adata, candidates, 3000)
    assert (adata.var["highly_variable"].to_numpy() == candidates).all()


def test_failing_spots_do_not_sway_the_choice(adata):
    every = np.ones(90, dtype=bool)
    adata.obs["qc_pass"] = np.arange(adata.n_obs) % 4 > 0
    alone = adata[adata.obs["qc_pass"]].copy()
    select_hvgs(alone, every, 30)
    adata.layers["counts"][0, 80] = 10_000  # spot 0 fails
    select_hvgs(adata, every, 30)
    assert adata.var["highly_variable"].tolist() == alone.var["highly_variable"].tolist()


def test_candidates_pass_and_have_more_than_the_least_counts(adata):
    totals = np.asarray(adata.layers["counts"].sum(axis=0)).ravel()
    limit = int(np.median(totals))
    adata.var["qc_pass"] = np.arange(90) > 0
    expected = (totals > limit) & (np.arange(90) > 0)
    assert (hvg_candidates(adata, QCParams(hvg_min_counts=limit)) == expected).all()


def refuse(monkeypatch, spans):
    """Let scanpy's choice fail for some spans, as its loess does on near-singular data."""
    usual = sc.pp.highly_variable_genes

    def stubborn(*args, span, **kwargs):
        if span in spans:
            raise ValueError(b"reciprocal condition number  3.9554e-16")
        return usual(*args, span=span, **kwargs)

    monkeypatch.setattr(sc.pp, "highly_variable_genes", stubborn)


def test_a_singular_loess_is_tried_again_with_a_wider_span(adata, monkeypatch):
    refuse(monkeypatch, {0.3})
    assert select_hvgs(adata, np.ones(90, dtype=bool), 30) == "seurat_v3 with span 0.5"
    assert adata.var["highly_variable"].sum() == 30


def test_where_every_span_fails_pearson_residuals_rank_the_genes(adata, monkeypatch):
    refuse(monkeypatch, {0.3, 0.5, 0.8})
    assert select_hvgs(adata, np.ones(90, dtype=bool), 60) == "pearson_residuals"
    assert adata.var["highly_variable"][:60].mean() > 0.9


def test_a_handful_of_genes_and_spots_is_ranked_whatever_the_loess_does():
    adata = section(rows=4, cols=4, n_genes=6)
    adata.obs["qc_pass"] = True
    select_hvgs(adata, np.ones(6, dtype=bool), 4)
    assert adata.var["highly_variable"].sum() == 4


@pytest.mark.parametrize("n_genes", [1, 2, 3, 4, 9, 10, 14])
@pytest.mark.parametrize("kind", ["varying", "one mean", "constant"])
def test_few_genes_are_all_taken_without_ending_the_process(n_genes, kind):
    """With no gene inside the loess's span, scikit-misc dies of a segmentation fault."""
    rng = np.random.default_rng(0)
    rate = 5.0 if kind == "one mean" else rng.gamma(2.0, 5.0, n_genes)
    counts = np.full((60, n_genes), 3) if kind == "constant" else rng.poisson(rate, (60, n_genes))
    made = from_counts(counts)
    made.obs["qc_pass"] = True
    select_hvgs(made, np.ones(n_genes, dtype=bool), 3000)
    assert made.var["highly_variable"].all()


def test_a_few_genes_that_vary_among_many_that_do_not():
    counts = np.full((60, 200), 3)
    counts[:, :2] = np.random.default_rng(0).poisson(4.0, (60, 2))
    made = from_counts(counts)
    made.obs["qc_pass"] = True
    assert select_hvgs(made, np.ones(200, dtype=bool), 2) == "pearson_residuals"
    assert made.var_names[made.var["highly_variable"]].tolist() == ["Gene0", "Gene1"]


def test_genes_that_vary_are_counted_in_pieces(monkeypatch):
    monkeypatch.setattr("clearspot.qc.hvg._SPOTS_AT_ONCE", 3)
    counts = np.array([[1, 0, 2, 0]] * 3 + [[1, 0, 0, 0]] + [[1, 0, 2, 0]] * 2 + [[1, 0, 2, 3]])
    assert _n_varying(AnnData(csr_matrix(counts, dtype=np.float32))) == 2
    assert _n_varying(AnnData(csr_matrix(counts[:3], dtype=np.float32))) == 0
