import numpy as np
import pytest
from scipy import sparse

from clearspot.diffst.estimate.projection import conservation_error, project
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def counts(rng, spot_operator):
    """Sparse counts; the last gene has none."""
    means = rng.gamma(0.5, 4, (spot_operator.shape[0], 6)) * [1, 5, 50, 0.1, 1, 0]
    return sparse.csr_array(rng.poisson(means).astype(np.int32))


@pytest.fixture
def prediction(rng, spot_operator):
    return rng.gamma(0.3, 1, (spot_operator.shape[1], 6)).astype(np.float32)


def test_what_a_spot_measured_is_what_its_bins_add_up_to(prediction, counts, spot_operator):
    projected = project(prediction, counts, spot_operator)

    assert (projected >= 0).all()
    assert np.isfinite(projected).all()
    found = spot_operator @ projected.astype(np.float64)
    np.testing.assert_allclose(found, counts.toarray(), rtol=1e-4, atol=1e-6)
    assert conservation_error(projected, counts, spot_operator) < 1e-4
    assert conservation_error(prediction, counts, spot_operator) > 1


def test_a_gene_without_counts_is_zero_everywhere(prediction, counts, spot_operator):
    assert (project(prediction, counts, spot_operator)[:, 5] == 0).all()


def test_bins_in_gaps_keep_their_prediction_up_to_one_factor_a_gene(prediction, counts, spot_operator):
    projected = project(prediction, counts, spot_operator)

    gaps = np.asarray(spot_operator.sum(axis=0)).ravel() == 0
    factor = projected[gaps, :5] / prediction[gaps, :5]
    expected = counts.sum(axis=0) / (spot_operator @ prediction).sum(axis=0)
    np.testing.assert_allclose(factor, np.broadcast_to(expected[:5], factor.shape), rtol=1e-4)


def test_what_is_conserved_already_is_left_alone(prediction, spot_operator):
    conserved = spot_operator @ prediction

    np.testing.assert_allclose(project(prediction, conserved, spot_operator), prediction, rtol=1e-4)


def test_it_is_the_conserving_map_nearest_to_the_prediction(rng, prediction, spot_operator):
    """Moving along any direction that conserves the counts raises the Kullback-Leibler divergence."""
    y = rng.poisson(30, (spot_operator.shape[0], 1)).astype(np.float64) + 1
    start = prediction[:, :1].astype(np.float64) + 0.1
    projected = project(start, y, spot_operator, n_iter=300, tolerance=1e-7).astype(np.float64)
    scale = y.sum() / (spot_operator @ start).sum()
    gradient = np.log(projected / (start * scale)).ravel()
    touched = np.flatnonzero(np.asarray(spot_operator.sum(axis=0)).ravel())
    dense = spot_operator.toarray()[:, touched].astype(np.float64)

    direction = rng.standard_normal(len(touched))
    along = direction - np.linalg.lstsq(dense, dense @ direction, rcond=None)[0]

    assert abs(gradient[touched] @ along) < 1e-2 * np.linalg.norm(gradient[touched]) * np.linalg.norm(along)


def test_genes_are_independent_of_each_other(prediction, counts, spot_operator, monkeypatch):
    whole = project(prediction, counts, spot_operator)
    order = np.array([3, 0, 5, 1, 4, 2])

    permuted = project(prediction[:, order], counts[:, order], spot_operator)
    monkeypatch.setattr("clearspot.diffst.estimate.projection._GENES_AT_ONCE", 2)
    chunked = project(prediction, counts, spot_operator)

    # Blocks stop together once their worst gene is conserved, so values agree to the tolerance.
    np.testing.assert_allclose(permuted, whole[:, order], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(chunked, whole, rtol=1e-3, atol=1e-5)


def test_counts_where_nothing_was_predicted_are_spread_evenly(spot_operator):
    y = np.full((spot_operator.shape[0], 1), 7.0)

    projected = project(np.zeros((spot_operator.shape[1], 1)), y, spot_operator)

    np.testing.assert_allclose(spot_operator @ projected, y, rtol=1e-4)
    inside = np.asarray(spot_operator.sum(axis=0)).ravel() > 0.99
    assert np.ptp(projected[inside]) < 0.2 * projected[inside].mean()


def test_all_of_a_spot_predicted_on_its_rim_still_conserves():
    grid = FineGrid(20.0, 8, 8, (0.0, 0.0), 1.0)
    operator = disk_operator([(81.0, 80.0)], grid, 55.0)
    shares = operator.toarray().ravel()
    rim = np.where((shares > 0) & (shares < 0.1), 1.0, 0.0)[:, None]

    projected = project(rim, np.array([[50.0]]), operator)

    assert conservation_error(projected, np.array([[50.0]]), operator) < 1e-4


def test_spots_that_share_bins_conserve_what_can_be_conserved(rng):
    grid = FineGrid(25.0, 16, 16, (0.0, 0.0), 1.0)
    centres = rng.uniform(60, 340, (25, 2))
    operator = disk_operator(centres, grid, 80.0)
    assert operator.sum(axis=0).max() > 1.5
    possible = operator @ rng.gamma(2, 10, (grid.n_bins, 3))

    projected = project(np.ones((grid.n_bins, 3)), possible, operator, n_iter=2000)

    assert conservation_error(projected, possible, operator) < 1e-3


def test_spots_off_the_grid_do_not_matter(prediction, counts, spot_operator):
    more = sparse.vstack([spot_operator, sparse.csr_array((1, spot_operator.shape[1]))], format="csr")
    with_lost = sparse.vstack([counts, sparse.csr_array(np.full((1, 6), 9))], format="csr")

    np.testing.assert_array_equal(project(prediction, with_lost, more), project(prediction, counts, spot_operator))


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_negative_or_missing_predictions_are_refused(bad, prediction, counts, spot_operator):
    prediction[3, 2] = bad

    with pytest.raises(ValueError, match="negative or not finite"):
        project(prediction, counts, spot_operator)


def test_shapes_that_disagree_are_refused(prediction, counts, spot_operator):
    with pytest.raises(ValueError, match="shapes do not match"):
        project(prediction[:, :5], counts, spot_operator)
