import numpy as np
import pytest

from clearspot.diffst.geometry.noise_field import standard_normal

ALL = slice(0, 150)


def test_a_window_is_a_part_of_the_whole_field():
    whole = standard_normal(3, 1, 2, ALL, ALL)

    part = standard_normal(3, 1, 2, slice(60, 131), slice(63, 65))

    np.testing.assert_array_equal(part, whole[:, 60:131, 63:65])


def test_more_channels_leave_the_first_ones_as_they_were():
    np.testing.assert_array_equal(
        standard_normal(0, 0, 5, slice(0, 8), slice(0, 8))[:2], standard_normal(0, 0, 2, slice(0, 8), slice(0, 8))
    )


@pytest.mark.parametrize(("seed", "sample"), [(4, 1), (3, 2), (1, 3)])
def test_another_seed_or_sample_is_another_field(seed, sample):
    first = standard_normal(3, 1, 1, ALL, ALL).ravel()
    other = standard_normal(seed, sample, 1, ALL, ALL).ravel()

    assert abs(np.corrcoef(first, other)[0, 1]) < 0.03


def test_it_is_standard_normal_and_blocks_and_channels_are_independent():
    field = standard_normal(0, 0, 2, slice(0, 256), slice(0, 128))

    assert abs(field.mean()) < 0.02
    assert field.std() == pytest.approx(1, abs=0.02)
    assert (np.abs(field) < 1).mean() == pytest.approx(0.6827, abs=0.01)
    pairs = [(field[0], field[1]), (field[0, :64], field[0, 64:128]), (field[0, :, :64], field[0, :, 64:])]
    for one, other in pairs:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.05


def test_an_empty_window_is_empty():
    assert standard_normal(0, 0, 3, slice(5, 5), slice(0, 4)).shape == (3, 0, 4)


@pytest.mark.parametrize("rows", [slice(-1, 4), slice(5, 2), slice(None, 4)])
def test_what_is_no_window_is_refused(rows):
    with pytest.raises(ValueError, match="window"):
        standard_normal(0, 0, 1, rows, slice(0, 4))
