import numpy as np
import pytest
from scipy.spatial import cKDTree

from clearspot.simulate.paper import SETTINGS, simulate_paper
from clearspot.simulate.paper_patterns import PATTERNS


def log_norm(counts):
    counts = counts.toarray().astype(float)
    return np.log1p(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 1e4)


@pytest.fixture(scope="module")
def by_setting():
    return {setting: simulate_paper("patches", setting, 0, n_spots=900, n_genes=400) for setting in SETTINGS}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_cell_types_are_arranged_in_space(pattern):
    adata = simulate_paper(pattern, 1, 0, n_spots=900, n_genes=5)
    assert adata.obs["cell_type"].nunique() == 5
    neighbours = cKDTree(adata.obsm["spatial"]).query(adata.obsm["spatial"], k=5)[1][:, 1:]
    codes = adata.obs["cell_type"].cat.codes.to_numpy()
    alike = (codes[neighbours] == codes[:, None]).mean()
    by_chance = (np.bincount(codes) / len(codes)) @ (np.bincount(codes) / len(codes))
    assert alike > by_chance + 0.1


def test_settings_share_the_truth_and_lose_more_and_more(by_setting):
    first = by_setting[1]
    for setting in (2, 3, 4):
        assert (first.layers["truth"] != by_setting[setting].layers["truth"]).nnz == 0
    totals = [adata.layers["counts"].sum() for adata in by_setting.values()]
    assert totals == sorted(totals, reverse=True)


def test_drop_out_rates_are_those_of_the_paper(by_setting):
    full = by_setting[1].layers["counts"].toarray()
    for setting, (inner, outer) in {2: (0.1, 0.3), 3: (0.1, 0.4), 4: (0.2, 0.7)}.items():
        adata = by_setting[setting]
        rate = adata.obs["dropout_rate"].to_numpy()
        kept = (adata.layers["counts"].toarray() > 0).sum(axis=1) / (full > 0).sum(axis=1)
        np.testing.assert_allclose(np.unique(rate), [inner, outer])
        edge = rate > inner + 0.01
        assert abs(kept[edge].mean() - (1 - outer)) < 0.03
        assert abs(kept[~edge].mean() - (1 - inner)) < 0.03


def test_edges_are_as_wide_as_the_setting_says(by_setting):
    adata = by_setting[3]
    spots = adata.obsm["spatial"]
    to_edge = np.minimum(spots - spots.min(axis=0), spots.max(axis=0) - spots).min(axis=1)
    assert ((adata.obs["dropout_rate"] > 0.1) == (to_edge < 5)).all()


def test_error_of_the_raw_data_is_near_that_of_the_paper():
    easy, hard = (simulate_paper("patches", setting, 0, n_spots=400, n_genes=2000) for setting in (1, 4))
    truth = log_norm(easy.layers["truth"])
    error = [np.mean((log_norm(adata.layers["counts"]) - truth) ** 2) for adata in (easy, hard)]
    # Published: 1.08 without drop-out, 1.70 in setting 4.
    assert 0.7 < error[0] < 1.2
    assert 1.3 < error[1] < 1.9


def test_counts_are_integers_and_reproducible():
    first, second = (simulate_paper("rings", 2, 4, n_spots=100, n_genes=30) for _ in range(2))
    assert first.layers["counts"].dtype == np.int32
    assert (first.layers["counts"] != second.layers["counts"]).nnz == 0
    assert (first.layers["counts"] != first.X).nnz == 0
    other = simulate_paper("rings", 2, 5, n_spots=100, n_genes=30)
    assert (first.layers["counts"] != other.layers["counts"]).nnz > 0


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="pattern"):
        simulate_paper("spiral", 1, 0)
    with pytest.raises(ValueError, match="setting"):
        simulate_paper("rings", 5, 0)
