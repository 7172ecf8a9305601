import numpy as np
import pytest

from clearspot.simulate.phantom import make_phantom


def test_same_seed_same_phantom_and_another_seed_another():
    first, second, third = (make_phantom(seed, width_um=500, n_genes=40) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.programs, second.programs)
    np.testing.assert_array_equal(first.panel.loadings, second.panel.loadings)
    assert len(first.cells) != len(third.cells) or (first.cells.x_um != third.cells.x_um).any()


def test_program_maps_hold_what_the_cells_hold(small_phantom):
    for program in (0, 5, 20):
        total = small_phantom.program_map(program).sum(dtype=float)
        assert total == pytest.approx(small_phantom.programs[:, program].sum(dtype=float), rel=1e-4)


def test_every_cell_is_dealt_out_whole(small_phantom):
    np.testing.assert_allclose(small_phantom.bins_to_cells().sum(axis=0), 1)


def test_too_small_a_field_is_refused():
    with pytest.raises(ValueError, match="at least 500"):
        make_phantom(0, width_um=300)
