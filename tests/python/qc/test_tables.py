import numpy as np

from clearspot.qc.metrics import add_qc_metrics
from clearspot.qc.tables import histogram, quantiles
from tests.helpers.sections import from_counts


def section_of(counts):
    adata = from_counts(counts, symbols=["MT-CO1", "ACTB"])
    add_qc_metrics(adata)
    adata.obs["qc_pass"] = np.arange(adata.n_obs) % 3 > 0
    return adata


def test_a_histogram_counts_every_spot_once():
    adata = section_of(np.random.default_rng(0).integers(0, 1000, size=(60, 2)))
    for column in ("total_counts", "n_genes_by_counts", "pct_counts_mt"):
        table = histogram(adata, column)
        assert (sum(table["n_pass"]), sum(table["n_fail"])) == (40, 20)


def test_bins_touch_and_ascend():
    table = histogram(section_of([[1, 5], [2, 900], [3, 4]]), "total_counts")
    assert table["right"][:-1] == table["left"][1:]
    assert (np.diff(table["left"]) > 0).all()


def test_equal_values_have_a_histogram_too():
    table = histogram(section_of([[2, 2], [2, 2], [2, 2]]), "total_counts")
    assert sum(table["n_pass"]) + sum(table["n_fail"]) == 3


def test_quantiles_of_measured_columns_only():
    table = quantiles(section_of([[0, 1], [0, 2], [1, 2]]))
    assert table["metric"] == ["total_counts", "n_genes_by_counts", "pct_counts_mt"]
    assert (table["min"][0], table["median"][0], table["max"][0]) == (1.0, 2.0, 3.0)
