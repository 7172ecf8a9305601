import numpy as np
import pytest
from scipy import ndimage

from clearspot.simulate.tissue import BLOOD, DOMAINS, GRID_UM, LUMEN, code, make_tissue


@pytest.fixture(scope="module")
def tissue():
    return make_tissue(np.random.default_rng(0), 2200, 2200)


def test_all_domains_are_there(tissue):
    assert set(np.unique(tissue.domain)) == set(range(len(DOMAINS) + 1))


def test_tissue_is_one_piece_with_a_tear_and_a_margin(tissue):
    _, pieces = ndimage.label(tissue.mask)
    assert pieces == 1
    assert ndimage.binary_fill_holes(tissue.mask).sum() > tissue.mask.sum()
    assert not tissue.mask[0].any()
    assert 0.5 < tissue.mask.mean() < 0.9


def test_lumen_and_blood_belong_to_their_domains(tissue):
    assert (tissue.domain[tissue.region == LUMEN] == code("epithelium")).all()
    assert (tissue.domain[tissue.region == BLOOD] == code("vessel")).all()


@pytest.mark.parametrize("domain", ["muscularis_mucosae", "septum", "plexus"])
def test_fine_structures_are_narrower_than_a_spot(tissue, domain):
    inside = ndimage.distance_transform_edt(tissue.domain == code(domain)) * GRID_UM
    width = 2 * np.percentile(inside[inside > 0], 99)
    assert 15 < width < 55


def test_layers_follow_each_other_in_depth(tissue):
    depth = [np.median(tissue.depth_um[tissue.region == code(name)]) for name in ("mucosa", "submucosa", "muscle")]
    assert depth == sorted(depth)


def test_same_seed_same_tissue():
    first, second = (make_tissue(np.random.default_rng(1), 600, 640) for _ in range(2))
    assert first.shape == (320, 300)
    assert (first.region == second.region).all()


def test_tissue_fills_as_much_of_the_field_as_asked():
    narrow, as_ever, wide = (make_tissue(np.random.default_rng(0), 1000, 1000, width) for width in (0.6, 0.87, 0.97))
    assert narrow.mask.mean() < 0.5 < as_ever.mask.mean() < 0.75 < wide.mask.mean()
    assert (as_ever.region == make_tissue(np.random.default_rng(0), 1000, 1000).region).all()
