import numpy as np
import pytest
import squidpy as sq
from scipy.sparse import csr_matrix

from clearspot.graph.build import build_graph
from clearspot.graph.params import GraphParams
from clearspot.metrics import autocorrelation
from clearspot.metrics.autocorrelation import morans_i, permutation_test, row_weights
from tests.helpers.sections import from_counts, hexagon, section, square


@pytest.fixture(scope="module")
def adata():
    made = section()
    made.X = np.log1p(made.layers["counts"].toarray().astype(float))
    build_graph(made, "s")
    return made


@pytest.fixture(scope="module")
def weights(adata):
    return row_weights(adata.obsp["spatial_connectivities"])


def test_three_spots_in_a_row_computed_by_hand():
    path = row_weights(csr_matrix([[0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    # z = (-1, 0, 1): neighbours of an end have deviation 0, and the middle's cancel.
    assert morans_i(path, np.array([[1.0], [2.0], [3.0]]))[0] == pytest.approx(0.0)
    # z = (-1, 2, -1) / 3 * 3: 3 / 3 * (-2 - 2 - 2) / 6
    assert morans_i(path, np.array([[0.0], [3.0], [0.0]]))[0] == pytest.approx(-1.0)


def test_a_chessboard_is_minus_one():
    board = from_counts(np.ones((64, 1)), square(8, 8))
    build_graph(board, "s", GraphParams(n_neighbors=4))
    colour = (np.arange(64) // 8 + np.arange(64)) % 2
    found = morans_i(row_weights(board.obsp["spatial_connectivities"]), colour[:, None])
    assert found[0] == pytest.approx(-1.0)


def test_it_is_squidpys_statistic(adata, weights):
    genes = adata.var_names[:20].tolist()
    expected = sq.gr.spatial_autocorr(adata, genes=genes, copy=True, show_progress_bar=False).loc[genes, "I"]
    np.testing.assert_allclose(morans_i(weights, adata.X[:, :20]), expected, rtol=1e-7)  # squidpy's weights are float32


def test_constant_columns_and_an_empty_graph_are_missing(weights):
    values = np.full((168, 2), 0.1)
    values[3, 1] = 1.0
    assert np.isnan(morans_i(weights, values)).tolist() == [True, False]
    assert np.isnan(morans_i(csr_matrix((168, 168)), values)).all()


def test_no_columns_are_no_values(weights):
    assert morans_i(weights, np.empty((168, 0))).size == 0
    assert permutation_test(weights, np.empty((168, 0)))[1].size == 0


def test_blocks_of_columns_change_nothing(adata, weights, monkeypatch):
    whole = permutation_test(weights, adata.X, n_perms=5)
    monkeypatch.setattr(autocorrelation, "_VALUES_AT_ONCE", 1)
    for block, all_at_once in zip(permutation_test(weights, adata.X, n_perms=5), whole, strict=True):
        np.testing.assert_allclose(block, all_at_once)


def test_a_pattern_is_significant_and_its_p_value_is_the_smallest_there_is(adata, weights):
    statistic, p_value = permutation_test(weights, adata.X[:, :10], n_perms=50)
    assert (statistic > 0.1).all()
    np.testing.assert_allclose(p_value, 1 / 51)


def test_noise_is_significant_as_often_as_it_should_be():
    made = from_counts(np.ones((225, 1)), hexagon(15, 15))
    build_graph(made, "s")
    noise = np.random.default_rng(1).normal(size=(225, 400))
    _, p_value = permutation_test(row_weights(made.obsp["spatial_connectivities"]), noise, n_perms=99)
    # 400 genes at 0.05: 20 expected, standard deviation 4.4. squidpy 1.8's permutations give about 48.
    assert 8 <= (p_value <= 0.05).sum() <= 33


def test_the_seed_decides_the_shuffles(adata, weights):
    values = np.random.default_rng(0).normal(size=(168, 30))
    first = permutation_test(weights, values, n_perms=20, seed=1)[1]
    assert (first == permutation_test(weights, values, n_perms=20, seed=1)[1]).all()
    assert (first != permutation_test(weights, values, n_perms=20, seed=2)[1]).any()


def test_no_shuffles_are_no_test(weights):
    with pytest.raises(ValueError, match="n_perms"):
        permutation_test(weights, np.ones((168, 1)), n_perms=0)
