"""Damaged regions are found with their outline; tissue that is poor by nature is not taken for one."""

import anndata as ad
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from clearspot.checks.places import place_in_words
from clearspot.checks.region_kinds import LEAKED, LOW_COUNTS, MITOCHONDRIAL, UNEVEN, UNEVEN_LEAKED
from clearspot.checks.regions import scan_regions
from tests.helpers.sections_with_tissues import disk, expected, lattice, overlap, sample, symbols

XY = lattice()


def scan(counts, xy=XY, *, mito=True, **how):
    return scan_regions(counts, xy, symbols(mito=mito), **({"um_per_unit": 1.0} | how))


def test_poor_tissue_with_genes_of_its_own_is_no_artefact():
    assert scan(sample(expected(XY))).regions == ()


@pytest.mark.parametrize("left", [0.05, 0.2])
def test_a_thinned_disk_is_found_with_its_outline_area_and_place(left):
    hurt = disk(XY, 2700, 1100, 600)
    found = scan(sample(expected(XY) * np.where(hurt, left, 1)[:, None]))
    (region,) = found.regions
    assert overlap(found.number == 1, hurt) > 0.75
    assert region.kind == LOW_COUNTS
    assert region.area_mm2 == pytest.approx(np.pi * 0.6**2, rel=0.3)
    assert region.counts_ratio == pytest.approx(left, rel=0.35)
    assert region.place == "right of the middle" or region.place == "at the upper right"
    assert region.profile.own_share < 0.01


def test_a_thinned_half_is_found():
    half = XY[:, 0] < XY[:, 0].mean()
    found = scan(sample(expected(XY) * np.where(half, 0.15, 1)[:, None]))
    assert overlap(found.number > 0, half) > 0.75


def test_it_works_without_mitochondrial_genes():
    hurt = disk(XY, 2700, 1100, 600)
    found = scan(sample(expected(XY) * np.where(hurt, 0.15, 1)[:, None]), mito=False)
    assert [(region.kind, region.profile.mito_ratio) for region in found.regions] == [(LOW_COUNTS, None)]


def test_low_counts_with_a_raised_mitochondrial_share_say_so():
    means, hurt = expected(XY), disk(XY, 2700, 1100, 600)
    means[hurt] *= 0.2
    means[np.ix_(hurt, np.arange(10))] *= 2.5
    (region,) = scan(sample(means)).regions
    assert region.kind == LEAKED
    assert region.profile.mito_ratio > 1.3


def test_a_raised_mitochondrial_share_alone_is_found():
    means, hurt = expected(XY), disk(XY, 2700, 1100, 600)
    means[np.ix_(hurt, np.arange(10))] *= 4
    found = scan(sample(means))
    assert [region.kind for region in found.regions] == [MITOCHONDRIAL]
    assert overlap(found.number == 1, hurt) > 0.75


def decayed(means, hurt, left, *, mito=1.0):
    """Counts of a damaged place: each gene keeps a part of its own, mitochondrial RNA gathers."""
    kept = left ** (2 * np.random.default_rng(3).random(means.shape[1]))
    kept[:10] = mito
    return means * np.where(hurt[:, None], kept, 1)


def band(xy, width, angle=0.6):
    """Mask of a strip through the middle, across both tissues."""
    across = (xy - xy.mean(axis=0)) @ [np.cos(angle), np.sin(angle)]
    return np.abs(across) < width / 2


@pytest.mark.parametrize(("mito", "kind"), [(True, UNEVEN_LEAKED), (False, UNEVEN)])
@pytest.mark.parametrize("width", [150, 250, 400])
def test_a_torn_band_is_found_however_narrow(width, mito, kind):
    torn = band(XY, width)
    found = scan(sample(decayed(expected(XY), torn, 0.2, mito=2.5 if mito else 1)), mito=mito)
    assert kind in {region.kind for region in found.regions}
    assert (found.number[torn] > 0).mean() > 0.6
    assert (found.number[~torn] > 0).mean() < 0.05


@pytest.mark.parametrize("mito", [True, False])
def test_a_dried_side_is_found_though_its_makeup_changes(mito):
    dried = XY[:, 0] + 0.3 * XY[:, 1] < 1300
    found = scan(sample(decayed(expected(XY), dried, 0.35, mito=2.5 if mito else 1)), mito=mito)
    assert overlap(found.number > 0, dried) > 0.75


def test_a_thin_layer_with_genes_of_its_own_is_no_artefact():
    means, layer = expected(XY), band(XY, 300)
    profile = means[0][np.random.default_rng(5).permutation(means.shape[1])]
    means[layer] = 0.4 * means[0].sum() * profile / profile.sum()
    assert scan(sample(means)).regions == ()


def test_a_band_and_a_side_that_hold_less_of_all_genes_alike_are_no_uneven_loss():
    for less in (band(XY, 300), XY[:, 0] < 1300):
        found = scan(sample(expected(XY) * np.where(less, 0.6, 1)[:, None]))
        assert not {UNEVEN, UNEVEN_LEAKED} & {region.kind for region in found.regions}


def test_holes_and_edges_are_no_artefacts():
    at_edge = (XY[:, 0] < 150) | (XY[:, 0] > XY[:, 0].max() - 150)
    small = disk(XY, 1500, 1000, 190)
    assert scan(sample(expected(XY) * np.where(at_edge | small, 0.3, 1)[:, None])).regions == ()


def test_bins_are_summed_to_cells():
    fine = lattice(40)[:0]
    row, col = np.divmod(np.arange(160 * 160), 160)
    fine = np.column_stack([25.0 * col, 25.0 * row])
    hurt = disk(fine, 2700, 1100, 600)
    found = scan(sample(expected(fine, depth=60) * np.where(hurt, 0.1, 1)[:, None]), fine, bin_um=25.0)
    assert overlap(found.number == 1, hurt) > 0.7
    assert found.regions[0].n_spots == (found.number == 1).sum()


def test_a_tiny_section_is_not_judged():
    assert scan(sample(expected(XY))[:60], XY[:60]) is None


def test_empty_spots_are_borne():
    counts = sample(expected(XY)).tolil()
    counts[:5] = 0
    assert scan(csr_matrix(counts)).regions == ()


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (50, 50, "in the middle"), (62, 50, "right of the middle"), (50, 35, "above the middle"),
        (10, 10, "at the upper left"), (50, 95, "at the bottom"), (90, 52, "at the right"),
    ],
)  # fmt: skip
def test_places_in_words(x, y, words):
    corners = np.array([[0.0, 0.0], [100.0, 100.0]])
    assert place_in_words(corners, np.array([[x, y]], dtype=float)) == words


def _real(shared_data, name):
    adata = ad.read_h5ad(shared_data / f"{name}.h5ad")
    adata = adata[np.asarray(adata.X.sum(axis=1)).ravel() > 0]
    return scan_regions(
        csr_matrix(adata.X), adata.obsm["spatial"], adata.var_names.tolist(), um_per_unit=adata.uns["um_per_px"]
    ), adata


@pytest.mark.real
def test_the_real_artefact_is_found_with_its_outline(shared_data):
    found, adata = _real(shared_data, "artefact/Br8325_ant")
    (region,) = found.regions
    assert region.kind == LEAKED
    assert region.place == "right of the middle"
    assert 2.5 < region.area_mm2 < 5
    # drawn by eye: the wedge between the notch and the folded edge
    x, y = adata.obsm["spatial"].T
    wedge = (x > 9500) & (x < 16800) & (y > 14700) & (y < 14700 + (x - 8500) * 0.5)
    assert (found.number[wedge] == 1).mean() > 0.75


@pytest.mark.real
@pytest.mark.parametrize("name", ["A1", "B1", "C2", "D1", "G2"])
def test_tumour_beside_poor_stroma_is_no_artefact(shared_data, name):
    assert _real(shared_data, f"her2st/{name}")[0].regions == ()
