import numpy as np
import pytest

from clearspot.simulate.arrays import SpotArray, hd_array, visium_array
from clearspot.simulate.capture import Assay, capture, capture_operator, default_assay

EVEN = Assay(1000, efficiency_smooth=0.0, efficiency_spot=0.0, dropout=0.0)


@pytest.fixture(scope="module")
def bins(small_phantom):
    return hd_array(8, small_phantom.width_um, small_phantom.height_um)


def test_disk_weights_add_up_to_the_disk():
    x, y = np.array([300.0, 301.3]), np.array([300.0, 298.2])
    names, place = np.array(["a", "b"]), np.zeros(2, dtype=np.int32)
    array = SpotArray(names, place, place, x, y, 55.0, False, (1, 2))
    weights = capture_operator(array, (300, 300))
    np.testing.assert_allclose(weights.sum(axis=1) * 4, np.pi * 27.5**2, rtol=0.005)
    far = np.hypot(np.arange(300) * 2 + 1 - x[0], 301 - y[0]) > 29
    assert (weights.toarray()[0].reshape(300, 300)[150, far] == 0).all()


def test_hd_bins_share_the_field_out(bins, small_phantom):
    operator = capture_operator(bins, small_phantom.tissue.shape)
    np.testing.assert_array_equal(operator.sum(axis=0), 1)
    np.testing.assert_array_equal(operator.sum(axis=1), 16)


def test_truth_holds_all_rna_once(bins, small_phantom):
    totals = np.ones(small_phantom.programs.shape[1])
    captured = capture(np.random.default_rng(0), small_phantom, bins, EVEN, totals)
    np.testing.assert_allclose(
        captured.truth.sum(axis=0), small_phantom.programs.sum(axis=0) * captured.scale, rtol=1e-4
    )


def test_depth_is_per_area(bins, small_phantom):
    totals = np.ones(small_phantom.programs.shape[1])
    captured = capture(np.random.default_rng(0), small_phantom, bins, EVEN, totals)
    assert np.isclose(captured.truth[captured.in_tissue].sum(axis=1).mean(), 1000 * 64 / (np.pi * 27.5**2), rtol=1e-4)


def test_diffusion_moves_rna_off_tissue_and_soup_is_everywhere(phantom):
    totals = np.ones(phantom.programs.shape[1])
    array = visium_array("v1", phantom.width_um, phantom.height_um)
    assay = Assay(1000, efficiency_smooth=0.0, efficiency_spot=0.0, background=0.02)
    captured = capture(np.random.default_rng(0), phantom, array, assay, totals)
    outside = captured.domains.sum(axis=1) == 0
    counts = captured.measured.sum(axis=1)
    assert (captured.truth[outside] == 0).all()
    np.testing.assert_allclose(np.median(counts[outside]), 20, rtol=0.01)
    assert counts[outside].max() > 40


def test_efficiency_averages_to_one(phantom):
    array = visium_array("v1", phantom.width_um, phantom.height_um)
    captured = capture(np.random.default_rng(0), phantom, array, Assay(500), np.ones(phantom.programs.shape[1]))
    assert np.isclose(captured.efficiency.mean(), 1, atol=1e-5)
    assert 0.1 < np.log(captured.efficiency).std() < 0.4


def test_low_quality_is_shallow_and_dirty():
    good, bad = default_assay("v1", 500), default_assay("v1", 500, low_quality=True)
    assert bad.umi_per_spot < 0.2 * good.umi_per_spot
    assert bad.background > 10 * good.background


def test_an_array_beside_the_tissue_is_refused(small_phantom):
    place = np.zeros(1, dtype=np.int32)
    array = SpotArray(np.array(["a"]), place, place, np.array([5.0]), np.array([5.0]), 4.0, False, (1, 1))
    with pytest.raises(ValueError, match="no spot"):
        capture(np.random.default_rng(0), small_phantom, array, EVEN, np.ones(small_phantom.programs.shape[1]))
