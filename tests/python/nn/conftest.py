"""A small hexagonal section for the layers, in double precision."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from scipy.spatial import cKDTree

from clearspot.nn.neighbourhood import Neighbourhood
from clearspot.threads import cpu_threads


def hexagonal(rows: int, columns: int) -> np.ndarray:
    """Positions of a Visium-like grid with pitch 1."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.column_stack([column + 0.5 * (row % 2), row * np.sqrt(3) / 2])


def touching(positions: np.ndarray) -> sp.csr_matrix:
    """Spots at distance 1, and one isolated spot at the end."""
    pairs = cKDTree(positions).query_pairs(1.05, output_type="ndarray")
    n = len(positions) + 1
    half = sp.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return (half + half.T).tocsr()


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors on one thread: a second one only waits, and on a busy machine for long."""
    with cpu_threads(1):
        yield


@pytest.fixture
def graph() -> sp.csr_matrix:
    """21 spots of which the last has no neighbour."""
    return touching(hexagonal(4, 5))


@pytest.fixture
def neighbourhood(graph) -> Neighbourhood:
    """The same as the layers see it."""
    return Neighbourhood.from_graph(graph)


@pytest.fixture
def generator() -> torch.Generator:
    """Random numbers."""
    return torch.Generator().manual_seed(0)
