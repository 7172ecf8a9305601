import numpy as np
import pytest

from clearspot.diffst.estimate.conditioning import (
    Evidence,
    evidence,
    image_detail,
    spread,
    tissue_from_image,
    tissue_from_spots,
)
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid


def test_an_even_section_stays_even(spot_operator, spot_grid):
    density = 3.0
    values = np.repeat(spot_operator.sum(axis=1)[:, None] * density, 2, axis=1)

    maps = spread(values, spot_operator, spot_grid, 50.0)

    assert maps.shape == (2, *spot_grid.shape)
    np.testing.assert_allclose(maps, density, rtol=1e-4)


def test_bins_inside_a_spot_have_its_density(spot_operator, spot_grid):
    values = np.random.default_rng(0).gamma(2, 10, (spot_operator.shape[0], 1))

    spread_map = spread(values, spot_operator, spot_grid, 50.0)[0].ravel()

    spot, bin_ = np.nonzero(spot_operator.toarray() > 0.9999)
    np.testing.assert_allclose(spread_map[bin_], (values[:, 0] / spot_operator.sum(axis=1))[spot], rtol=1e-3)


def test_a_gap_lies_between_the_spots_around_it(spot_operator, spot_grid):
    values = np.random.default_rng(0).gamma(2, 10, (spot_operator.shape[0], 1))
    density = values[:, 0] / spot_operator.sum(axis=1)

    spread_map = spread(values, spot_operator, spot_grid, 50.0)[0]

    assert spread_map.min() >= density.min() * 0.999
    assert spread_map.max() <= density.max() * 1.001


def test_far_from_all_spots_the_nearest_value_holds():
    grid = FineGrid(10.0, 8, 200, (0.0, 0.0), 1.0)
    operator = disk_operator([(40.0, 40.0)], grid, 55.0)

    spread_map = spread([[12.0]], operator, grid, 30.0)[0]

    np.testing.assert_allclose(spread_map, 12.0 / operator.sum(), rtol=1e-4)


def test_spreading_needs_a_spot_on_the_grid():
    grid = FineGrid(10.0, 8, 8, (0.0, 0.0), 1.0)

    with pytest.raises(ValueError, match="no spot"):
        spread([[1.0]], disk_operator([(900.0, 900.0)], grid, 55.0), grid, 30.0)


def test_detail_follows_the_image_below_the_distance_of_the_spots(spot_operator, spot_grid):
    rng = np.random.default_rng(0)
    pattern = (rng.random(spot_grid.shape) < 0.4).astype(np.float32)
    truth = 1 + 8 * pattern
    counts = rng.poisson(spot_operator @ truth.ravel())[:, None]
    features = np.stack([pattern - pattern.mean(), rng.standard_normal(spot_grid.shape)])

    detail = image_detail(counts, spot_operator, spot_grid, features, 50.0)

    flat = spread(counts, spot_operator, spot_grid, 50.0)
    sharp = flat * detail
    assert detail.shape == (1, *spot_grid.shape)
    assert np.corrcoef(sharp.ravel(), truth.ravel())[0, 1] > 0.7
    assert np.corrcoef(flat.ravel(), truth.ravel())[0, 1] < 0.5


def test_an_image_that_tells_nothing_adds_nothing(spot_operator, spot_grid):
    values = np.random.default_rng(0).gamma(2, 10, (spot_operator.shape[0], 3))

    detail = image_detail(values, spot_operator, spot_grid, np.zeros((4, *spot_grid.shape)), 50.0)

    np.testing.assert_allclose(detail, 1, rtol=1e-4)


def test_evidence_tells_measured_from_gap_from_off_tissue(spot_operator, spot_grid):
    tissue = np.zeros(spot_grid.shape, dtype=bool)
    tissue[:, : spot_grid.n_cols // 2] = True

    codes = evidence(spot_operator, spot_grid, tissue)

    covered = np.asarray(spot_operator.sum(axis=0)).reshape(spot_grid.shape)
    assert codes.dtype == np.uint8
    assert (codes[covered >= 0.5] == Evidence.MEASURED).all()
    assert (codes[(covered < 0.5) & tissue] == Evidence.GAP).all()
    assert (codes[(covered < 0.5) & ~tissue] == Evidence.OFF_TISSUE).all()
    # 55 um disks 100 um apart leave most of a section unmeasured: pi/4 * 55^2 of every sqrt(3)/2 * 100^2.
    assert (codes[:, : spot_grid.n_cols // 2] == Evidence.GAP).mean() > 0.6


def test_tissue_near_spots_has_no_holes_and_ends_at_the_reach(spots_px, spot_grid):
    tissue = tissue_from_spots(spots_px, spot_grid, 75.0)

    centres = spot_grid.centres_px()
    low, high = spots_px.min(axis=0) + 40, spots_px.max(axis=0) - 40
    interior = ((centres > low) & (centres < high)).all(axis=1).reshape(spot_grid.shape)
    assert tissue[interior].all()
    far = np.linalg.norm(centres[:, None] - spots_px, axis=2).min(axis=1) > 75 * 0.5
    assert not tissue.ravel()[far].any()


def test_stained_bins_are_tissue():
    rgb = np.full((20, 30, 3), 245.0)
    rgb[5:15, 8:20] = (170, 110, 160)
    rgb[9, 12] = 245  # a hole of one bin
    valid = np.ones((20, 30), dtype=bool)
    valid[:, 19:] = False

    tissue = tissue_from_image(rgb, valid)

    expected = np.zeros((20, 30), dtype=bool)
    expected[5:15, 8:19] = True
    np.testing.assert_array_equal(tissue, expected)


def test_a_blank_picture_shows_no_tissue():
    assert not tissue_from_image(np.full((8, 8, 3), 240.0)).any()
