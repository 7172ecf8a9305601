import numpy as np
import pytest

from clearspot.diffst.geometry.grid import FineGrid


@pytest.fixture
def grid():
    return FineGrid(10.0, 8, 16, (100.0, -40.0), 2.0)


def test_centres_lie_row_by_row_half_a_bin_from_the_origin(grid):
    centres = grid.centres_px()

    assert centres.shape == (128, 2)
    assert centres[0].tolist() == [110.0, -30.0]
    assert centres[1 * 16 + 3].tolist() == [100 + 3.5 * 20, -40 + 1.5 * 20]


def test_affine_takes_grid_coordinates_to_pixels_and_to_grid_takes_them_back(grid):
    columns_rows = np.array([[0.0, 0.0], [2.5, 7.25], [16.0, 8.0]])

    pixels = (grid.affine() @ np.column_stack([columns_rows, np.ones(3)]).T).T[:, :2]

    np.testing.assert_allclose(pixels[-1], [100 + 16 * 20, -40 + 8 * 20])
    np.testing.assert_allclose(grid.to_grid(pixels), columns_rows)


def test_covering_leaves_the_margin_on_all_sides_and_is_no_larger_than_needed():
    points = np.random.default_rng(0).uniform(50, 900, (200, 2))

    grid = FineGrid.covering(points, 0.5, 16.0, 60.0, multiple=8)

    low = np.asarray(grid.origin_px)
    high = low + np.array([grid.n_cols, grid.n_rows]) * grid.bin_px
    assert (points.min(axis=0) - low >= 60 * 0.5 - 1e-6).all()
    assert (high - points.max(axis=0) >= 60 * 0.5 - 1e-6).all()
    assert grid.n_rows % 8 == 0
    assert grid.n_cols % 8 == 0
    assert ((high - low) - np.ptp(points, axis=0) - 2 * 30 < 8 * grid.bin_px).all()


def test_covering_a_single_point_is_one_multiple():
    assert FineGrid.covering([[5.0, 5.0]], 1.0, 10.0, 20.0, multiple=4).shape == (4, 4)


def test_covering_refuses_positions_that_are_not_finite():
    with pytest.raises(ValueError, match="finite"):
        FineGrid.covering([[0.0, np.nan]], 1.0, 10.0, 0.0)


def test_a_coarse_bin_has_the_centre_of_the_bins_it_holds(grid):
    coarse = grid.coarsened(4)

    assert coarse.shape == (2, 4)
    members = grid.centres_px().reshape(8, 16, 2)[4:8, 8:12].reshape(-1, 2)
    np.testing.assert_allclose(coarse.centres_px()[1 * 4 + 2], members.mean(axis=0))


def test_a_grid_needs_sizes_above_zero():
    with pytest.raises(ValueError, match="bin_um"):
        FineGrid(0.0, 8, 8, (0.0, 0.0), 1.0)
