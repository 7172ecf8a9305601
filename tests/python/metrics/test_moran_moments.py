import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.metrics.autocorrelation import moments_by_chance, morans_i, row_weights


def ring(n: int) -> csr_matrix:
    near = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return row_weights(csr_matrix(((near == 1) | (near == n - 1) | (near == 2)).astype(float)))


def test_the_moments_are_those_of_many_shuffles():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.standard_normal(60), rng.exponential(size=60) ** 2])
    weights = ring(60)
    mean, sd = moments_by_chance(weights, values)
    shuffled = np.array([morans_i(weights, values[rng.permutation(60)]) for _ in range(4000)])
    assert mean == pytest.approx(-1 / 59)
    assert shuffled.mean(axis=0) == pytest.approx([mean, mean], abs=0.004)
    assert sd == pytest.approx(shuffled.std(axis=0), rel=0.04)


def test_a_constant_column_has_none_and_few_spots_are_refused():
    assert np.isnan(moments_by_chance(ring(10), np.ones((10, 1)))[1]).all()
    with pytest.raises(ValueError, match="at least 4"):
        moments_by_chance(csr_matrix((3, 3)), np.ones((3, 1)))
