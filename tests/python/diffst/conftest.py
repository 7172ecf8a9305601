import numpy as np
import pytest

from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid


@pytest.fixture
def spots_px():
    """Centres of a small hexagonal lattice, pitch 100 um at 0.5 pixels a micrometre, slightly turned."""
    row, col = np.mgrid[:7, :9]
    x = (col + 0.5 * (row % 2)) * 100.0
    y = row * 50 * np.sqrt(3)
    turn = np.deg2rad(0.7)
    turned = np.column_stack(
        [x.ravel() * np.cos(turn) - y.ravel() * np.sin(turn), x.ravel() * np.sin(turn) + y.ravel()]
    )
    return turned * 0.5 + 300


@pytest.fixture
def spot_grid(spots_px):
    return FineGrid.covering(spots_px, 0.5, 20.0, 60.0)


@pytest.fixture
def spot_operator(spots_px, spot_grid):
    return disk_operator(spots_px, spot_grid, 55.0)
