import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.checks.spatial_structure import MOST_GENES, spatial_structure
from clearspot.graph.build import build_graph


def made(side: int = 24, n_genes: int = 120, pattern: float = 0.8, seed: int = 0, depth=None) -> ad.AnnData:
    """Counts on a square lattice; a quarter of the genes follow a wave of the given strength, all follow the depth."""
    rng = np.random.default_rng(seed)
    y, x = np.divmod(np.arange(side * side), side)
    wave = np.sin(2 * np.pi * x / side) * np.cos(2 * np.pi * y / side)
    rate = rng.gamma(2.0, 1.0, n_genes) * np.ones((side * side, 1))
    rate[:, ::4] *= np.exp(pattern * wave)[:, None]
    rate *= (np.ones(side * side) if depth is None else depth(x / side, y / side))[:, None]
    counts = csr_matrix(rng.poisson(rate))
    adata = ad.AnnData(layers={"counts": counts}, shape=counts.shape)
    adata.obsm["spatial"] = np.column_stack([x, y]) * 100.0
    return adata


def built(adata: ad.AnnData) -> ad.AnnData:
    build_graph(adata, "s")
    return adata


def test_a_pattern_is_found_in_the_genes_that_have_one():
    found = spatial_structure(built(made()))
    assert found.found
    of_genes = dict(zip(found.genes, found.q_value, strict=True))
    assert np.mean([of_genes[str(gene)] < 0.05 for gene in range(0, 120, 4)]) > 0.8
    assert np.mean([of_genes[str(gene)] < 0.05 for gene in range(120) if gene % 4]) < 0.3
    assert found.shuffled_percents.mean() < 1
    assert np.median(found.morans_i[found.q_value < 0.05]) > 5 * found.shuffled


@pytest.mark.parametrize("seed", range(5))
def test_spots_shuffled_over_the_places_have_none(seed):
    adata = made(seed=seed)
    adata.obsm["spatial"] = adata.obsm["spatial"][np.random.default_rng(seed).permutation(adata.n_obs)]
    found = spatial_structure(built(adata))
    assert not found.found
    assert found.percent_spatial < 5


def test_depth_alone_is_no_pattern():
    """One corner is sequenced a tenth as deep: log-normalised values of few counts follow that, genes do not."""
    adata = made(pattern=0, depth=lambda x, y: 1.5 * np.exp(-2.3 * (x + y) / 2))
    found = spatial_structure(built(adata))
    assert found.percent_spatial < 5
    assert not found.found


def test_p_values_under_no_pattern_are_even():
    p_values = np.concatenate([spatial_structure(built(made(pattern=0, seed=seed))).p_value for seed in range(4)])
    assert (p_values < 0.05).mean() == pytest.approx(0.05, abs=0.03)


def test_the_same_seed_gives_the_same():
    adata = built(made(side=12))
    first, again = spatial_structure(adata, 3), spatial_structure(adata, 3)
    np.testing.assert_array_equal(first.shuffled_medians, again.shuffled_medians)
    assert (first.shuffled_medians != spatial_structure(adata, 4).shuffled_medians).any()


def test_the_most_variable_genes_are_tested_and_no_more_than_are_allowed():
    adata = built(made(n_genes=MOST_GENES + 50))
    adata.var["highly_variable_rank"] = np.arange(adata.n_vars, dtype=float)[::-1]
    found = spatial_structure(adata)
    assert len(found.genes) == MOST_GENES
    assert found.genes[0] == adata.var_names[-1]


def test_too_few_spots_or_genes_are_not_tested_and_the_reason_is_given():
    assert "too few" in spatial_structure(built(made(side=5)))
    assert "genes" in spatial_structure(built(made(n_genes=10)))
    sparse = made()
    sparse.layers["counts"] = csr_matrix(np.eye(sparse.n_obs, sparse.n_vars, dtype=int))
    assert "genes" in spatial_structure(built(sparse))


def test_spots_without_counts_are_left_out():
    adata = made()
    counts = adata.layers["counts"].tolil()
    counts[::7] = 0
    adata.layers["counts"] = counts.tocsr()
    found = spatial_structure(built(adata))
    assert found.found
    assert np.isfinite(found.q_value).all()


def test_the_graph_step_records_and_flags_it():
    adata = made()
    record = build_graph(adata, "s")
    assert record.metrics["has_spatial_structure"] is True
    assert adata.uns["clearspot"]["has_spatial_structure"]
    assert record.metrics["n_genes_structure_tested"] == len(record.tables["structure"]["gene"])
    assert not [message for message in record.messages if "no spatial pattern" in message.text]
    adata.obsm["spatial"] = adata.obsm["spatial"][np.random.default_rng(1).permutation(adata.n_obs)]
    shuffled = build_graph(adata, "s")
    assert shuffled.metrics["has_spatial_structure"] is False
    assert not adata.uns["clearspot"]["has_spatial_structure"]
    assert sum("no spatial pattern" in message.text for message in shuffled.messages) == 1


def test_without_counts_the_graph_step_says_that_it_was_not_tested():
    adata = made()
    del adata.layers["counts"]
    record = build_graph(adata, "s")
    assert "has_spatial_structure" not in record.metrics
    assert sum("not tested" in message.text for message in record.messages) == 1


@pytest.mark.parametrize("section", ["her2st/B1", "her2st/C2", "mob/MOB1"])
def test_real_sections_have_a_pattern_and_none_once_shuffled(shared_data, section):
    adata = ad.read_h5ad(shared_data / f"{section}.h5ad")
    adata = adata[adata.obs["in_tissue"].to_numpy(dtype=bool)].copy()
    adata = adata[np.asarray(adata.X.sum(axis=1)).ravel() > 0].copy()
    adata.layers["counts"] = adata.X
    assert spatial_structure(built(adata)).found
    adata.obsm["spatial"] = adata.obsm["spatial"][np.random.default_rng(0).permutation(adata.n_obs)]
    assert not spatial_structure(built(adata)).found
