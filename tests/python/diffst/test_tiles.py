import numpy as np
import pytest

from clearspot.diffst.geometry.tiles import tile_grid


@pytest.mark.parametrize(("shape", "core", "halo"), [((96, 64), 32, 12), ((40, 104), 24, 8), ((16, 16), 64, 32)])
def test_cores_cover_the_grid_exactly_once(shape, core, halo):
    times = np.zeros(shape, dtype=int)
    for tile in tile_grid(shape, core, halo):
        times[tile.core] += 1

    assert (times == 1).all()


@pytest.mark.parametrize(("shape", "core", "halo"), [((96, 64), 32, 12), ((40, 104), 24, 8)])
def test_the_core_is_where_the_tile_says(shape, core, halo):
    numbers = np.arange(shape[0] * shape[1]).reshape(shape)

    for tile in tile_grid(shape, core, halo):
        np.testing.assert_array_equal(numbers[tile.outer][tile.core_in_outer], numbers[tile.core])


def test_windows_begin_and_end_at_multiples():
    for tile in tile_grid((96, 64), 32, 12, multiple=8):
        for window in tile.outer:
            assert window.start % 8 == 0
            assert window.stop % 8 == 0


def test_the_halo_is_at_least_as_wide_as_asked_but_for_the_edge():
    for tile in tile_grid((96, 64), 32, 12):
        for outer, core, side in zip(tile.outer, tile.core, (96, 64), strict=True):
            assert core.start - outer.start >= 12 or outer.start == 0
            assert outer.stop - core.stop >= 12 or outer.stop == side


def test_a_local_filter_gives_the_same_values_in_any_tiling():
    field = np.random.default_rng(0).random((64, 80))

    def blur(values):
        padded = np.pad(values, 5)
        return sum(padded[5 + d : 5 + d + len(values), 5 : 5 + values.shape[1]] for d in range(-5, 6))

    for core in (16, 24, 64):
        tiled = np.empty_like(field)
        for tile in tile_grid(field.shape, core, 5):
            tiled[tile.core] = blur(field[tile.outer])[tile.core_in_outer]
        np.testing.assert_allclose(tiled, blur(field))


@pytest.mark.parametrize(("shape", "core"), [((60, 64), 32), ((64, 64), 30), ((64, 64), 0)])
def test_sizes_that_are_no_multiples_are_refused(shape, core):
    with pytest.raises(ValueError, match="multiple"):
        tile_grid(shape, core, 8)
