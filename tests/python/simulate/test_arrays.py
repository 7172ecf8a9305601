import numpy as np
import pytest
from scipy.spatial import cKDTree

from clearspot.simulate.arrays import hd_array, visium_array


@pytest.mark.parametrize("chemistry", ["v1", "v2"])
def test_visium_grid_is_hexagonal_with_100_um_pitch(chemistry):
    array = visium_array(chemistry, 2000, 2000)
    assert len(array) == 4992
    assert ((array.row + array.col) % 2 == 0).all()
    assert (array.row.max(), array.col.max()) == (77, 127)
    assert len(np.unique(array.barcodes)) == 4992
    distance, _ = cKDTree(np.column_stack([array.x_um, array.y_um])).query(
        np.column_stack([array.x_um, array.y_um]), k=7
    )
    assert np.isclose(np.median(distance[:, 6]), 100)
    assert np.isclose(distance[:, 1].min(), 100)


def test_positions_are_an_affine_of_the_array_and_cytassist_is_mirrored():
    for chemistry, sign in (("v1", 1), ("v2", -1)):
        array = visium_array(chemistry, 2000, 2000)
        design = np.column_stack([np.ones(len(array)), array.row, array.col])
        coefficients, *_ = np.linalg.lstsq(design, np.column_stack([array.x_um, array.y_um]), rcond=None)
        np.testing.assert_allclose(design @ coefficients, np.column_stack([array.x_um, array.y_um]), atol=1e-6)
        assert np.sign(coefficients[2, 0]) == sign
        assert coefficients[1, 1] > 86


def test_barcodes_belong_to_the_slide_not_to_the_sample():
    first, second = (visium_array("v1", width, width) for width in (2000, 900))
    assert (first.barcodes == second.barcodes).all()
    assert not np.isin(visium_array("v2", 2000, 2000).barcodes, first.barcodes).any()


def test_spots_are_listed_as_on_real_slides():
    first = visium_array("v1", 2000, 2000)
    assert list(zip(first.row[:4], first.col[:4], strict=True)) == [(0, 0), (1, 1), (0, 2), (1, 3)]
    second = visium_array("v2", 2000, 2000)
    assert list(zip(second.row[:3], second.col[:3], strict=True)) == [(0, 0), (0, 2), (0, 4)]


def test_hd_bins_nest():
    fine, coarse = hd_array(2, 320, 160), hd_array(8, 320, 160)
    assert len(fine) == 16 * len(coarse)
    place = {(row, col): n for n, (row, col) in enumerate(zip(coarse.row, coarse.col, strict=True))}
    parent = np.array([place[row // 4, col // 4] for row, col in zip(fine.row, fine.col, strict=True)])
    assert (np.bincount(parent) == 16).all()
    assert np.abs(fine.x_um - coarse.x_um[parent]).max() == 3
    assert np.abs(fine.y_um - coarse.y_um[parent]).max() == 3


def test_hd_barcodes_name_the_bin():
    bins = hd_array(16, 320, 160)
    assert bins.barcodes[0] == f"s_016um_{bins.row[0]:05d}_{bins.col[0]:05d}-1"
    assert bins.col.max() < bins.shape[1] == 419
    assert (np.diff(bins.x_um[:20]) == -16).all()


@pytest.mark.parametrize(("width", "height"), [(330, 320), (320, 8000)])
def test_fields_that_do_not_fit_an_hd_slide_are_refused(width, height):
    with pytest.raises(ValueError, match="Visium HD field"):
        hd_array(8, width, height)
