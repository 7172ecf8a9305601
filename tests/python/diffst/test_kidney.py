"""A real Visium HD slide, mirrored and turned against its image, from a Space Ranger folder to bins with an image."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from clearspot import keys
from clearspot.diffst.data.reference_file import prepare_reference, read_reference
from tests.helpers.kidney_outs import UM_PER_PX, write_kidney_outs

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def kidney(shared_data, tmp_path_factory):
    """A crop at the edge of the tissue."""
    if not (shared_data / "hd_kidney" / "kidney.h5ad").exists():
        pytest.skip("the kidney (../shared/data/hd_kidney) is not on this machine")
    return write_kidney_outs(tmp_path_factory.mktemp("kidney"), shared_data, slice(600, 720), slice(630, 750))


@pytest.fixture(scope="module", params=[8.0, 16.0, 20.0])
def prepared(kidney, tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("prepared")
    record = prepare_reference(kidney.outs, folder, "kidney", bin_um=request.param, image=kidney.image)
    return read_reference(folder / keys.reference_name("kidney"), request.param), record, request.param


def test_bins_are_exact_sums_of_measured_ones(prepared, kidney):
    reference, record, wanted = prepared
    times = {8.0: 1, 16.0: 2, 20.0: 2}[wanted]
    totals = reference.counts.sum(axis=1).reshape(reference.grid.shape)
    expected = kidney.maps(times)

    np.testing.assert_array_equal(totals[: expected.shape[0], : expected.shape[1]], expected)
    assert totals.sum() == kidney.counts.sum() == record.metrics["total_counts"]
    assert (reference.counts.data % 1 == 0).all()
    by_gene = np.asarray(kidney.counts.sum(axis=0)).ravel()
    np.testing.assert_array_equal(reference.counts.sum(axis=0)[reference.genes.get_indexer(kidney.genes)], by_gene)
    told = [message.text for message in record.messages if "instead of 20" in message.text]
    assert len(told) == (wanted == 20.0)


def test_the_map_is_the_one_that_the_positions_follow(prepared):
    reference, *_ = prepared
    per_col, per_row = reference.to_image[:2, :2].T
    np.testing.assert_allclose(per_col, [-3.996, 0.014], atol=0.001)
    np.testing.assert_allclose(per_row, [0.017, 3.993], atol=0.001)
    assert reference.image_um_per_px == pytest.approx(UM_PER_PX, rel=0.001)


def smooth(values, bin_um):
    return uniform_filter(values, max(1, round(32 / bin_um)))


def test_counts_lie_on_tissue_and_not_where_a_mirrored_or_shifted_image_has_it(prepared):
    reference, _, _ = prepared
    rows, columns = reference.grid.shape
    points, bin_um = reference.histology.pixels_per_bin, reference.grid.bin_um
    there = reference.histology.valid
    dark = (255 - reference.histology.pixels.mean(axis=0)).reshape(rows, points, columns, points).mean(axis=(1, 3))
    counts = reference.counts.sum(axis=1).reshape(rows, columns)
    # the grid reaches beyond the crop: only bins that can have counts are compared
    inside = np.s_[: round(960 / bin_um), : round(960 / bin_um)]
    dark, counts = smooth(dark[inside], bin_um), smooth(np.log1p(counts[inside]), bin_um)
    assert there[inside].mean() > 0.99

    def agreement(image):
        return np.corrcoef(image.ravel(), counts.ravel())[0, 1]

    shift = round(240 / bin_um)
    others = [dark[:, ::-1], dark[::-1], np.roll(dark, shift, axis=0), np.roll(dark, shift, axis=1)]
    assert agreement(dark) > 0.5
    assert max(agreement(other) for other in others) < agreement(dark) - 0.2
    full = counts > np.log1p(10 * (bin_um / 8) ** 2)
    assert dark[full].mean() > dark[~full].mean() + 20
