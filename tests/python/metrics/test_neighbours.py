import numpy as np
from scipy.sparse import csr_matrix

from clearspot.metrics.neighbours import neighbour_mean


def test_a_spot_and_those_it_touches_count_the_same():
    path = csr_matrix([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    values = np.array([[0.0, 6.0], [3.0, 0.0], [6.0, 3.0], [9.0, 1.0]])
    assert neighbour_mean(path, values).tolist() == [[1.5, 3.0], [3.0, 3.0], [4.5, 1.5], [9.0, 1.0]]
