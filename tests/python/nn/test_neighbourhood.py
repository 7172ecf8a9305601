import numpy as np
import pytest
import scipy.sparse as sp
import torch

from clearspot.nn.neighbourhood import Neighbourhood


def test_edges_are_those_of_the_graph_and_the_self_loops(graph, neighbourhood):
    dense = np.zeros(graph.shape)
    dense[neighbourhood.receiver, neighbourhood.neighbour] = 1
    np.testing.assert_array_equal(dense, (graph.toarray() > 0) | np.eye(graph.shape[0], dtype=bool))
    assert neighbourhood.n_edges == graph.nnz + graph.shape[0]


def test_reverse_names_the_opposite_edge(neighbourhood):
    torch.testing.assert_close(neighbourhood.receiver[neighbourhood.reverse], neighbourhood.neighbour)
    torch.testing.assert_close(neighbourhood.neighbour[neighbourhood.reverse], neighbourhood.receiver)


def test_self_loops_that_are_there_already_are_not_doubled(graph, neighbourhood):
    again = Neighbourhood.from_graph(graph + sp.identity(graph.shape[0]))
    assert torch.equal(again.neighbour, neighbourhood.neighbour)


def test_stored_zeros_are_no_edges():
    graph = sp.csr_matrix((np.array([0.0, 0.0]), (np.array([0, 1]), np.array([1, 0]))), shape=(2, 2))
    assert Neighbourhood.from_graph(graph).n_edges == 2


def test_directed_graph_is_refused():
    with pytest.raises(ValueError, match="symmetric"):
        Neighbourhood.from_graph(sp.csr_matrix(np.array([[0, 1, 1], [1, 0, 0], [0, 1, 0]])))


def test_rectangular_matrix_is_refused():
    with pytest.raises(ValueError, match="rows as columns"):
        Neighbourhood.from_graph(sp.csr_matrix((2, 3)))
