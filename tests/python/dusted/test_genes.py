from dataclasses import replace

import numpy as np
import pytest

from clearspot import keys
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.params import DustedParams


def chosen(adata, **settings):
    source = read_section(adata, "s", DustedParams.preset("paper", **settings))
    return list(source.section.genes), [message.text for message in source.messages]


def test_highly_variable(adata):
    genes, messages = chosen(adata)
    assert genes == [f"g{i}" for i in range(10)]
    assert messages == []


def test_all(adata):
    assert len(chosen(adata, genes="all")[0]) == 12


def test_all_leaves_out_genes_without_counts_in_passing_spots(adata):
    counts = adata.layers[keys.COUNTS].tolil()
    counts[:, 5] = 0
    counts[9, 5] = 4
    adata.layers[keys.COUNTS] = counts.tocsr()
    assert "g5" not in chosen(adata, genes="all")[0]


def test_named_by_symbol_or_id(adata):
    assert chosen(adata, genes=("g3", "ENSG007", "g11"))[0] == ["g3", "g7", "g11"]


def test_always_genes_come_on_top_and_missing_ones_are_said(adata):
    genes, messages = chosen(adata, always_genes=("ENSG011", "NOPE"))
    assert genes == [*(f"g{i}" for i in range(10)), "g11"]
    assert messages == ["1 of 2 genes of interest are not in the sample: NOPE."]


def test_gene_that_is_wanted_but_silent_is_said(adata):
    counts = adata.layers[keys.COUNTS].tolil()
    counts[:, 11] = 0
    adata.layers[keys.COUNTS] = counts.tocsr()
    genes, messages = chosen(adata, always_genes=("g11",))
    assert "g11" not in genes
    assert "1 genes of interest have no counts" in messages[0]


def test_highly_variable_genes_are_computed_where_absent(section_factory):
    adata = section_factory(rows=12, columns=12, n_genes=60)
    del adata.var[keys.HIGHLY_VARIABLE]
    genes, messages = chosen(adata, n_top_genes=20)
    assert len(genes) == 20
    assert messages[0].startswith("var['highly_variable'] is missing: the 20 most variable genes")
    assert keys.HIGHLY_VARIABLE not in adata.var


def test_size_factors_are_over_all_genes_and_passing_spots(adata):
    section = read_section(adata, "s", DustedParams.preset("paper")).section
    totals = np.asarray(adata.layers[keys.COUNTS].sum(axis=1)).ravel()[adata.obs[keys.QC_PASS]]
    np.testing.assert_allclose(section.size_factor, totals / np.median(totals), rtol=1e-6)


@pytest.mark.parametrize("over", ["all", "modelled"])
@pytest.mark.parametrize("target", [None, 1e4])
def test_input_is_log_of_counts_scaled_to_the_target(adata, over, target):
    section = read_section(
        adata, "s", replace(DustedParams.preset("paper"), normalise_over=over, target_sum=target)
    ).section
    counts = section.counts.toarray()
    passing = adata.obs[keys.QC_PASS].to_numpy()
    totals = counts.sum(axis=1) if over == "modelled" else adata.layers[keys.COUNTS][passing].toarray().sum(axis=1)
    expected = np.log1p(counts / totals[:, None] * (np.median(totals) if target is None else target))
    np.testing.assert_allclose(section.expression(slice(None)).toarray(), expected, rtol=1e-5)


def test_pooled_expression_does_not_depend_on_the_chunks(adata):
    from clearspot.dusted.section import pooled_expression

    section = read_section(adata, "s", DustedParams.preset("paper")).section
    dense = section.expression(slice(None)).toarray()
    for rows in (5, 1000):
        average, maximum = pooled_expression(section, rows)
        np.testing.assert_allclose(average, dense.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(maximum, dense.max(axis=0), rtol=1e-6)


def test_thinned_input_is_on_the_scale_of_the_whole(adata):
    params = replace(DustedParams.preset("paper"), normalise_over="all", target_sum=None)
    section = read_section(adata, "s", params).section
    half = section.thinned(section.counts * 0.5, 0.5, params)
    np.testing.assert_allclose(
        half.expression(slice(None)).toarray(), section.expression(slice(None)).toarray(), rtol=1e-5
    )


def test_genes_of_interest_are_always_modelled(adata):
    adata.var[keys.GENE_OF_INTEREST] = np.arange(adata.n_vars) == 11
    genes, messages = chosen(adata)
    assert genes == [*(f"g{i}" for i in range(10)), "g11"]
    assert messages == []
    assert chosen(adata, genes=("g1", "g2"))[0] == ["g1", "g2", "g11"]
