import numpy as np
from scipy.sparse import csr_matrix

from clearspot.graph.embed import symmetric_graph


def test_a_one_way_edge_becomes_mutual_and_takes_its_place_among_all_spots():
    coordinates = np.array([[0.0, 0.0], [9.0, 9.0], [3.0, 4.0]])
    connectivities, distances = symmetric_graph(
        csr_matrix([[0, 2.0], [0, 0]]), coordinates, rows=np.array([0, 2]), n_spots=3
    )
    assert connectivities.toarray().tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert distances.toarray().tolist() == [[0, 0, 5], [0, 0, 0], [5, 0, 0]]


def test_self_loops_are_left_out():
    connectivities, _ = symmetric_graph(csr_matrix(np.eye(2)), np.zeros((2, 2)), np.arange(2), 2)
    assert connectivities.nnz == 0


def test_spots_in_one_place_stay_neighbours_at_distance_zero():
    connectivities, distances = symmetric_graph(csr_matrix([[0, 1], [1, 0]]), np.zeros((2, 2)), np.arange(2), 2)
    assert connectivities.nnz == distances.nnz == 2
