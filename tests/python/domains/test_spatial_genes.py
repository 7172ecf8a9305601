import numpy as np
import pytest

from clearspot.domains.params import DomainParams
from clearspot.domains.spatial_genes import genes_to_test, spatial_genes
from tests.helpers.denoised_sections import denoised_section


@pytest.fixture
def adata():
    return denoised_section(genes_of_interest=("Gene119",), n_hvgs=60)


def test_genes_of_interest_come_first_and_the_most_variable_follow(adata):
    genes = genes_to_test(adata, 5)
    assert adata.var_names[genes[0]] == "Gene119"
    assert adata.var["highly_variable_rank"].iloc[genes[1:]].tolist() == [0, 1, 2, 3]


def test_a_gene_of_interest_is_measured_even_where_none_are_wanted(adata):
    assert adata.var_names[genes_to_test(adata, 0)].tolist() == ["Gene119"]


def test_no_genes_make_an_empty_table():
    table = spatial_genes(denoised_section(), DomainParams(moran_n_genes=0))
    assert all(column == [] for column in table.values())


def test_a_tissue_pattern_stands_out_before_and_rises_after(adata):
    table = spatial_genes(adata, DomainParams(moran_n_genes=20, moran_n_perms=20))
    measured, denoised = np.array(table["measured"]), np.array(table["denoised"])
    assert (denoised[1:] > measured[1:]).all()
    np.testing.assert_allclose(table["p_measured"][1:], 1 / 21)


def test_the_neighbour_mean_of_shuffled_spots_shows_what_smoothing_does_alone(adata):
    table = spatial_genes(adata, DomainParams(moran_n_genes=20, moran_n_perms=5))
    shuffled = np.array(table["neighbour_mean_shuffled"])
    assert shuffled.min() > 0.25
    assert (np.array(table["neighbour_mean"])[1:] > shuffled[1:]).all()


def test_denoised_values_are_compared_per_size_factor(adata):
    # Here the denoised counts are the neighbour mean times the size factor, so both columns must agree.
    table = spatial_genes(adata, DomainParams(moran_n_genes=10, moran_n_perms=0))
    np.testing.assert_allclose(table["denoised"], table["neighbour_mean"], rtol=1e-4)


def test_without_the_denoiser_its_columns_are_missing(adata):
    del adata.layers["denoised"]
    assert "denoised" not in spatial_genes(adata, DomainParams(moran_n_genes=5, moran_n_perms=5))


def test_a_gene_that_was_not_modelled_has_no_value_after(adata):
    adata.layers["denoised"][:, 119] = np.nan
    table = spatial_genes(adata, DomainParams(moran_n_genes=5, moran_n_perms=5))
    assert np.isnan([table["denoised"][0], table["p_denoised"][0], table["q_denoised"][0]]).all()
    assert np.isfinite(table["q_denoised"][1:]).all()


def test_without_shuffles_there_are_no_p_values(adata):
    assert "p_measured" not in spatial_genes(adata, DomainParams(moran_n_genes=5, moran_n_perms=0))


def test_a_file_of_denoised_values_counts_as_the_layer_does(adata, tmp_path):
    expected = spatial_genes(adata, DomainParams(moran_n_genes=8, moran_n_perms=5))
    modelled = adata[adata.obs["qc_pass"].to_numpy(), adata.var_names != "Gene119"]
    # other orders than the section's: names, not positions, say what is what
    shell = modelled[::-1, ::-1].copy()
    shell.X = shell.layers["denoised"]
    shell.write_h5ad(tmp_path / "s.denoised.h5ad")
    del adata.layers["denoised"]
    found = spatial_genes(adata, DomainParams(moran_n_genes=8, moran_n_perms=5), tmp_path / "s.denoised.h5ad")
    assert np.isnan(found["denoised"][0])
    for column in ("denoised", "p_denoised", "neighbour_mean"):
        np.testing.assert_allclose(found[column][1:], expected[column][1:], rtol=1e-6)


def test_many_spots_are_not_shuffled_and_have_the_same_p_values(adata, monkeypatch):
    adata.X = adata.X[np.random.default_rng(0).permutation(adata.n_obs)]  # all of them, not only those near to 0
    params = DomainParams(moran_n_genes=60, moran_n_perms=300)
    shuffled = spatial_genes(adata, params)
    monkeypatch.setattr("clearspot.domains.spatial_genes._SHUFFLED_UP_TO", 10)
    monkeypatch.setattr("clearspot.domains.spatial_genes.permutation_test", None)
    exact = spatial_genes(adata, params)
    assert exact["measured"] == shuffled["measured"]
    assert np.ptp(exact["p_measured"]) > 0.8
    np.testing.assert_allclose(exact["p_measured"], shuffled["p_measured"], atol=0.1)
    assert max(exact["q_denoised"]) < 1e-6
