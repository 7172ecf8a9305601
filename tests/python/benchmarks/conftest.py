import numpy as np
import pytest

from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.fixture
def spots_px():
    """A hexagonal lattice, pitch 100 um at 1 pixel a micrometre."""
    row, col = np.mgrid[:7, :9]
    return np.column_stack([((col + 0.5 * (row % 2)) * 100.0).ravel(), (row * 50 * np.sqrt(3)).ravel()])


@pytest.fixture
def spot_grid(spots_px):
    return FineGrid.covering(spots_px, 1.0, 20.0, 60.0)


@pytest.fixture
def spot_operator(spots_px, spot_grid):
    return disk_operator(spots_px, spot_grid, 55.0)
