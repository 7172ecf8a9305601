import numpy as np
import pytest

from clearspot.diffst.estimate.spread import spread
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
