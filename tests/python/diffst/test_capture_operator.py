import numpy as np
import pytest

from clearspot.diffst.geometry.capture_operator import disk_operator, disk_square_area, square_operator
from clearspot.diffst.geometry.grid import FineGrid


@pytest.fixture
def grid():
    return FineGrid(20.0, 16, 24, (-30.0, 12.0), 0.5)


@pytest.fixture
def centres(grid):
    """Spots well inside the grid, at no special place."""
    low = np.asarray(grid.origin_px) + 40 * grid.px_per_um
    high = low + (np.array([grid.n_cols, grid.n_rows]) * grid.bin_um - 80) * grid.px_per_um
    return np.random.default_rng(1).uniform(low, high, (50, 2))


@pytest.mark.parametrize("diameter", [5.0, 19.0, 20.0, 55.0, 130.0])
def test_a_disk_captures_its_own_area(grid, diameter):
    middle = np.asarray(grid.origin_px) + np.array([240.3, 161.7]) * grid.px_per_um

    operator = disk_operator([middle], grid, diameter)

    assert operator.sum() * grid.bin_um**2 == pytest.approx(np.pi * diameter**2 / 4, rel=1e-6)


def test_a_disk_on_a_corner_of_four_bins_is_quartered():
    np.testing.assert_allclose(disk_square_area([-1, 0, -1, 0], [-1, -1, 0, 0], 0.5), np.full(4, np.pi / 16))


def test_a_square_that_a_disk_only_bites_into():
    # The segment of a unit disk beyond x = 1/2 has the area pi / 3 - sqrt(3) / 4.
    assert disk_square_area(0.5, -0.5, 1.0) < np.pi / 3 - np.sqrt(3) / 4
    both = disk_square_area([0.5, 0.5], [-1.0, 0.0], 1.0).sum()
    assert both == pytest.approx(np.pi / 3 - np.sqrt(3) / 4)


def test_shares_agree_with_counting_points(grid, centres):
    operator = disk_operator(centres, grid, 55.0)
    ticks = (np.arange(200) + 0.5) / 200
    u, v = np.meshgrid(ticks, ticks)
    bin_, spot = operator.indices[:40], np.repeat(np.arange(len(centres)), np.diff(operator.indptr))[:40]
    corner = grid.centres_px()[bin_] - grid.bin_px / 2
    x = corner[:, 0, None] + u.ravel() * grid.bin_px - centres[spot, 0, None]
    y = corner[:, 1, None] + v.ravel() * grid.bin_px - centres[spot, 1, None]

    counted = (np.hypot(x, y) < 27.5 * grid.px_per_um).mean(axis=1)

    np.testing.assert_allclose(operator.data[:40], counted, atol=2e-3)


def test_adjointness(grid, centres):
    rng = np.random.default_rng(0)
    operator = disk_operator(centres, grid, 55.0)
    on_bins, on_spots = rng.random(grid.n_bins), rng.random(len(centres))

    assert on_spots @ (operator @ on_bins) == pytest.approx((operator.T @ on_spots) @ on_bins, rel=1e-6)


def test_shares_are_shares(grid, centres):
    operator = disk_operator(centres, grid, 55.0)

    assert operator.dtype == np.float32
    assert operator.shape == (50, grid.n_bins)
    assert operator.data.min() > 0
    assert operator.data.max() <= 1


def test_a_spot_outside_the_grid_captures_nothing_and_one_on_its_corner_a_quarter(grid):
    operator = disk_operator([grid.origin_px, (1e5, 1e5)], grid, 55.0)

    assert operator[[0]].sum() * grid.bin_um**2 == pytest.approx(np.pi * 55**2 / 16, rel=1e-6)
    assert operator[[1]].nnz == 0


def test_squares_on_the_grid_are_exact_blocks():
    grid = FineGrid(2.0, 16, 16, (10.0, 20.0), 0.25)
    coarse = grid.coarsened(4)

    operator = square_operator(coarse.centres_px(), 8.0, grid)

    block = np.zeros((16, 16))
    block[4:8, 8:12] = 1
    np.testing.assert_array_equal(operator[[1 * 4 + 2]].toarray().reshape(16, 16), block)
    np.testing.assert_array_equal(operator.sum(axis=0), np.ones(grid.n_bins))


def test_a_shifted_square_is_shared_by_overlap():
    grid = FineGrid(10.0, 4, 4, (0.0, 0.0), 1.0)

    operator = square_operator([(12.5, 15.0)], 10.0, grid).toarray().reshape(4, 4)

    np.testing.assert_allclose(operator[1, :3], [0.25, 0.75, 0])
    assert operator.sum() == pytest.approx(1)


def test_each_spot_may_have_its_own_diameter(grid, centres):
    sizes = np.linspace(8, 60, len(centres))

    operator = disk_operator(centres, grid, sizes)

    np.testing.assert_allclose(operator.sum(axis=1) * grid.bin_um**2, np.pi * sizes**2 / 4, rtol=1e-5)


def test_blocks_of_spots_change_nothing(grid, centres, monkeypatch):
    whole = disk_operator(centres, grid, 55.0)
    monkeypatch.setattr("clearspot.diffst.geometry.capture_operator._PAIRS_AT_ONCE", 300)

    assert (disk_operator(centres, grid, 55.0) != whole).nnz == 0


def test_a_spot_needs_a_size(grid):
    with pytest.raises(ValueError, match="diameter_um"):
        disk_operator([(0, 0)], grid, 0.0)
