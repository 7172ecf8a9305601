import numpy as np

from clearspot.graph.embed import symmetric_graph


def test_an_edge_goes_both_ways_and_spots_without_one_have_empty_rows():
    coordinates = np.array([[0.0, 0.0], [9.0, 9.0], [3.0, 4.0]])
    connectivities, distances = symmetric_graph(np.array([[0, 2]]), coordinates)
    assert connectivities.toarray().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert distances.toarray().tolist() == [[0, 0, 5], [0, 0, 0], [5, 0, 0]]


def test_an_edge_that_comes_twice_is_one():
    connectivities, distances = symmetric_graph(np.array([[0, 1], [1, 0], [0, 1]]), np.array([[0.0, 0.0], [0.0, 2.0]]))
    assert connectivities.toarray().tolist() == [[0, 1], [1, 0]]
    assert distances.toarray().tolist() == [[0, 2], [2, 0]]


def test_no_edges_are_an_empty_matrix():
    connectivities, _ = symmetric_graph(np.empty((0, 2), dtype=int), np.zeros((2, 2)))
    assert connectivities.shape == (2, 2)
    assert connectivities.nnz == 0
