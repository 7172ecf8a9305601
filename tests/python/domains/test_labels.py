import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from clearspot.domains.labels import by_size, categorical, majority_vote


def test_labels_are_numbered_from_the_largest_and_close_ranks():
    assert by_size(np.array([7, 7, 2, 5, 5, 5])).tolist() == [1, 1, 2, 0, 0, 0]


def test_equal_sizes_keep_their_order():
    assert by_size(np.array([1, 0, 1, 0])).tolist() == [1, 0, 1, 0]


def test_spots_without_a_label_are_missing():
    found = categorical(np.array([1, 0]), np.array([3, 1]), n_spots=4)
    assert [None if pd.isna(value) else value for value in found] == [None, "1", None, "2"]
    assert list(found.categories) == ["1", "2"]


def star(n_leaves):
    """A middle spot (0) that touches all others."""
    graph = np.zeros((n_leaves + 1, n_leaves + 1))
    graph[0, 1:] = graph[1:, 0] = 1
    return csr_matrix(graph)


def test_a_lone_label_yields_to_the_majority_around_it():
    assert majority_vote(np.array([1, 0, 0, 0]), star(3))[0] == 0


def test_half_of_the_neighbours_is_no_majority():
    assert majority_vote(np.array([2, 0, 0, 1, 1]), star(4))[0] == 2


def test_a_spot_without_neighbours_keeps_its_label():
    assert majority_vote(np.array([1, 0]), csr_matrix((2, 2))).tolist() == [1, 0]
