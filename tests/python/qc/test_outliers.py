import numpy as np
import pytest

from clearspot.qc import outliers
from clearspot.qc.metrics import add_qc_metrics
from clearspot.qc.outliers import flag_local_outliers, robust_local_z
from tests.helpers.sections import from_counts, hexagon


def gradient(dark=(90,)):
    """Counts that fall tenfold from left to right, with dark spots in the bright half."""
    coordinates = hexagon(12, 16)
    rng = np.random.default_rng(0)
    rate = 200 * 10 ** (-coordinates[:, :1] / coordinates[:, 0].max()) * np.ones((1, 30))
    rate[list(dark)] /= 6
    adata = from_counts(rng.poisson(rate), coordinates)
    add_qc_metrics(adata)
    return adata


def test_z_of_five_values_computed_by_hand():
    values = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    z = robust_local_z(values, np.array([[4, 0, 1, 2, 3]]))
    assert z[0] == pytest.approx((10 - 3) / 1.4826)


def test_neighbours_without_spread_give_no_score():
    assert np.isnan(robust_local_z(np.ones(4), np.array([[0, 1, 2, 3]]))[0])


def test_a_dark_spot_among_bright_ones_is_found_and_dim_tissue_is_not():
    adata = gradient(dark=(98,))
    found = flag_local_outliers(adata)
    assert adata.obs["local_outlier"].iloc[98]
    assert adata.obs["total_counts"].iloc[98] > adata.obs["total_counts"].min()
    assert found["any"] <= 4


def test_a_bright_spot_is_no_outlier():
    adata = gradient(dark=())
    adata.obs.loc[adata.obs_names[100], ["total_counts", "n_genes_by_counts"]] *= 50
    flag_local_outliers(adata)
    assert not adata.obs["local_outlier"].iloc[100]


def test_blocks_of_spots_change_nothing(monkeypatch):
    whole, blocks = gradient(), gradient()
    flag_local_outliers(whole)
    monkeypatch.setattr(outliers, "_SPOTS_AT_ONCE", 7)
    flag_local_outliers(blocks)
    np.testing.assert_array_equal(whole.obs["local_z_total_counts"], blocks.obs["local_z_total_counts"])


def test_too_few_spots_are_not_judged():
    adata = from_counts(np.ones((5, 3), dtype=int))
    add_qc_metrics(adata)
    assert flag_local_outliers(adata) is None
    assert "local_outlier" not in adata.obs
