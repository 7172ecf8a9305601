import numpy as np
import pytest

from clearspot import keys
from clearspot.report import data as module
from clearspot.report.data import SampleData
from tests.helpers.made_sample import Made


def test_columns_of_a_sparse_layer_come_in_the_order_asked_for(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.write()
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 7)
    names = ["Gene9", "Gene2"]
    expected = made.adata[:, names].layers[keys.COUNTS].toarray()
    np.testing.assert_array_equal(SampleData(made.h5ad).genes(keys.COUNTS, names), expected)


def test_columns_of_a_dense_layer_keep_missing_values(made: Made) -> None:
    made.write()
    names = ["Gene9", "Gene2"]
    expected = made.adata[:, names].layers[keys.DENOISED]
    assert np.isnan(expected).any()
    np.testing.assert_array_equal(SampleData(made.h5ad).genes(keys.DENOISED, names), expected)


def test_denoised_values_of_a_file_of_their_own_find_their_spots_and_genes(made: Made) -> None:
    made.write()
    modelled = made.adata[made.adata.obs[keys.QC_PASS], ["Gene9", "Gene3", "Gene2"]].copy()
    modelled.X = modelled.layers[keys.DENOISED]
    modelled.write_h5ad(made.folder / "denoised.h5ad")
    data = SampleData(made.h5ad, made.folder / "denoised.h5ad")
    expected = made.adata[:, ["Gene2", "Gene9"]].layers[keys.DENOISED]
    np.testing.assert_array_equal(data.denoised(["Gene2", "Gene9"]), expected)


def test_a_gene_that_was_not_modelled_has_no_denoised_value(made: Made) -> None:
    made.write()
    modelled = made.adata[made.adata.obs[keys.QC_PASS], ["Gene9"]].copy()
    modelled.X = modelled.layers[keys.DENOISED]
    modelled.write_h5ad(made.folder / "denoised.h5ad")
    assert np.isnan(SampleData(made.h5ad, made.folder / "denoised.h5ad").denoised(["Gene1"])).all()


def test_an_unknown_gene_is_named(made: Made) -> None:
    made.write()
    with pytest.raises(KeyError, match="Nonsense"):
        SampleData(made.h5ad).genes(keys.COUNTS, ["Gene1", "Nonsense"])
