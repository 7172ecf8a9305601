"""Spread RNA is told by its distance from the tissue; what lies everywhere is not."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from clearspot.checks.bleeding import measure_bleeding
from tests.helpers.sections_with_tissues import disk, lattice

XY = lattice(60)
TISSUE = disk(XY, 3000, 2600, 1400)


def measure(height, spread, floor, seed=0):
    distance = cKDTree(XY[TISSUE]).query(XY[~TISSUE])[0]
    rng = np.random.default_rng(seed)
    outside = rng.poisson(floor + height * np.exp(-distance / spread)).astype(float)
    inside = rng.poisson(1000, TISSUE.sum()).astype(float)
    return measure_bleeding(XY[~TISSUE], outside, np.ones(len(outside)), XY[TISSUE], inside, 1.0), outside, inside


@pytest.mark.parametrize("spread", [100.0, 400.0])
def test_spread_and_share_are_recovered(spread):
    found, outside, inside = measure(500, spread, 20)
    assert found.spread_um == pytest.approx(spread, rel=0.15)
    assert found.far_ratio == pytest.approx(0.02, rel=0.15)
    assert found.share == pytest.approx((outside - 20).sum() / (outside.sum() + inside.sum()), rel=0.15)
    assert sum(found.table["n_positions"]) <= len(outside)


def test_what_lies_everywhere_has_not_spread():
    found, *_ = measure(0, 100, 30)
    assert found.share < 0.005
    assert found.far_ratio == pytest.approx(0.03, rel=0.1)


def test_squares_of_positions_count_by_their_number():
    number = np.full((~TISSUE).sum(), 4.0)
    inside = np.full(TISSUE.sum(), 100.0)
    found = measure_bleeding(XY[~TISSUE], 8 * np.ones(len(number)), number, XY[TISSUE], inside, 1.0)
    assert found.far_ratio == pytest.approx(0.02, rel=0.05)


def test_too_few_positions_are_not_fitted():
    assert measure_bleeding(XY[:20], np.ones(20), np.ones(20), XY[TISSUE], np.ones(TISSUE.sum()), 1.0) is None


@pytest.mark.real
def test_ambient_rna_of_the_olfactory_bulb_falls_with_the_distance(shared_data):
    import anndata as ad

    adata = ad.read_h5ad(shared_data / "mob" / "MOB2.h5ad")
    total = np.asarray(adata.X.sum(axis=1), dtype=float).ravel()
    inside = adata.obs["in_tissue"].to_numpy(dtype=bool)
    xy = adata.obsm["spatial"]
    found = measure_bleeding(
        xy[~inside], total[~inside], np.ones((~inside).sum()), xy[inside], total[inside], adata.uns["um_per_px"]
    )
    assert 200 < found.spread_um < 800
    assert 0.05 < found.share < 0.34
