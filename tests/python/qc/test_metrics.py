import numpy as np
import pytest

from clearspot.qc.metrics import add_genome_metrics, add_qc_metrics
from tests.helpers.sections import from_counts


def test_metrics_of_a_matrix_counted_by_hand():
    adata = from_counts([[1, 0, 3], [0, 2, 2]], symbols=["MT-CO1", "ACTB", "RPS6"])
    add_qc_metrics(adata)
    assert adata.obs["total_counts"].tolist() == [4, 4]
    assert adata.obs["n_genes_by_counts"].tolist() == [2, 2]
    assert adata.obs["pct_counts_mt"].tolist() == [25.0, 0.0]
    assert adata.obs["pct_counts_ribo"].tolist() == [75.0, 50.0]
    assert adata.var["n_cells_by_counts"].tolist() == [1, 1, 2]


def test_a_gene_set_that_no_symbol_belongs_to_has_no_column():
    adata = from_counts([[1, 2]], symbols=["ACTB", "RPS6"])
    assert add_qc_metrics(adata) == ["ribo"]
    assert "pct_counts_mt" not in adata.obs


def test_a_gene_set_listed_without_a_single_count_was_not_measured():
    adata = from_counts([[0, 5], [0, 3]], symbols=["MT-CO1", "ACTB"])
    assert "mt" not in add_qc_metrics(adata)
    assert "pct_counts_mt" not in adata.obs


def test_two_genomes_are_measured_apart():
    adata = from_counts(
        [[3, 1, 0, 0], [0, 0, 4, 4]],
        symbols=["GRCh38_ACTB", "GRCh38_MT-CO1", "mm10_Actb", "mm10_mt-Co1"],
        genomes=["GRCh38", "GRCh38", "mm10", "mm10"],
    )
    add_qc_metrics(adata)
    assert add_genome_metrics(adata) == ["GRCh38", "mm10"]
    assert adata.obs["total_counts_GRCh38"].tolist() == [4, 0]
    assert adata.obs["n_genes_by_counts_mm10"].tolist() == [0, 2]
    assert adata.obs["pct_counts_mm10"].tolist() == [0.0, 100.0]
    np.testing.assert_array_equal(adata.obs["pct_counts_mt_GRCh38"], [25.0, np.nan])


def test_one_genome_gets_no_metrics_of_its_own():
    adata = from_counts([[1, 2]])
    add_qc_metrics(adata)
    before = list(adata.obs)
    assert add_genome_metrics(adata) == []
    assert list(adata.obs) == before


@pytest.mark.parametrize("explicit", [True, False])
def test_the_counts_keep_their_values_and_type(explicit):
    adata = from_counts([[1, 0], [2, 3]])
    if explicit:
        adata.layers["counts"].data[0] = 1
    add_qc_metrics(adata)
    assert adata.layers["counts"].dtype == np.int32
    assert adata.layers["counts"].toarray().tolist() == [[1, 0], [2, 3]]
