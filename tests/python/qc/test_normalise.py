import numpy as np
from scipy.sparse import issparse

from clearspot.qc.metrics import add_qc_metrics
from clearspot.qc.normalise import normalise
from tests.helpers.sections import from_counts


def normalised():
    adata = from_counts([[2, 0], [3, 3], [0, 100]])
    add_qc_metrics(adata)
    adata.obs["qc_pass"] = np.array([True, True, False])
    return adata, normalise(adata)


def test_the_size_factor_is_the_total_over_the_median_of_passing_spots():
    adata, median = normalised()
    assert median == 4.0
    assert adata.obs["size_factor"].tolist() == [0.5, 1.5, 25.0]


def test_x_is_log1p_of_counts_over_size_factor():
    adata, _ = normalised()
    expected = np.log1p(np.array([[4.0, 0.0], [2.0, 2.0], [0.0, 4.0]]))
    np.testing.assert_allclose(adata.X.toarray(), expected, rtol=1e-6)


def test_x_is_float32_csr_and_the_counts_stay():
    adata, _ = normalised()
    assert issparse(adata.X)
    assert (adata.X.format, adata.X.dtype) == ("csr", np.float32)
    assert adata.layers["counts"].toarray().tolist() == [[2, 0], [3, 3], [0, 100]]
