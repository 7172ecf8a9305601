import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from clearspot.graph.pieces import find_pieces


def test_pieces_are_named_by_size_and_missing_outside_the_graph():
    graph = np.zeros((6, 6))
    for first, second in [(0, 1), (3, 4), (4, 5)]:
        graph[first, second] = graph[second, first] = 1
    piece, sizes = find_pieces(csr_matrix(graph), np.array([True, True, False, True, True, True]))
    assert pd.isna(piece[2])
    assert [piece[i] for i in (0, 1, 3, 4, 5)] == ["2", "2", "1", "1", "1"]
    assert sizes.tolist() == [3, 2]


def test_isolated_spots_are_pieces_of_their_own():
    piece, sizes = find_pieces(csr_matrix((3, 3)), np.ones(3, dtype=bool))
    assert sizes.tolist() == [1, 1, 1]
    assert list(piece) == ["1", "2", "3"]
