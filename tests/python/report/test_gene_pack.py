"""Packed genes: what goes in comes out, as exactly as is said, and no more than there is room for."""

import numpy as np
import pytest

from clearspot.report.gene_pack import LEVELS, pack_genes, unpack

N_SPOTS = 300
ENOUGH = 10**9


@pytest.fixture
def maps():
    """Measured and denoised values of 130 genes, the last spots without denoised ones."""
    rng = np.random.default_rng(0)
    rates = rng.gamma(0.5, 8.0, 130) * rng.gamma(2.0, 0.5, (N_SPOTS, 1))
    measured = rng.poisson(rates).astype(float)
    measured[:, 3] *= 1000
    denoised = rates + 0.1
    denoised[-20:] = np.nan
    denoised[:, 7] = np.nan
    return measured, denoised


@pytest.fixture
def names():
    return [f"G{number}" for number in range(130)]


@pytest.fixture
def read(maps, names):
    def some(wanted):
        columns = [names.index(name) for name in wanted]
        return maps[0][:, columns], maps[1][:, columns]

    return some


def test_counts_come_back_exactly_and_denoised_values_within_a_level(maps, names, read):
    packed = pack_genes(names[:10], names[10:], read, ENOUGH)
    assert packed.names == names
    assert packed.levels == LEVELS[0]
    for number, name in enumerate(names):
        measured, denoised = unpack(packed, name)
        np.testing.assert_array_equal(measured, maps[0][:, number])
        if number == 7:
            assert denoised is None
            continue
        np.testing.assert_array_equal(np.isnan(denoised), np.isnan(maps[1][:, number]))
        level = np.log1p(np.nanmax(maps[1][:, number])) / LEVELS[0]
        assert np.nanmax(np.abs(np.log1p(denoised) - np.log1p(maps[1][:, number]))) <= level / 2 * 1.01


def test_means_of_cells_are_levels_and_empty_cells_stay_empty(maps, names):
    means = maps[0] / 3
    means[5] = np.nan
    packed = pack_genes(names[:2], [], lambda wanted: (means[:, :2], maps[1][:, :2]), ENOUGH)
    measured, _ = unpack(packed, "G0")
    assert np.isnan(measured[5])
    assert np.nanmax(np.abs(measured - means[:, 0])) < 0.01 * np.nanmax(means[:, 0])


def test_with_less_room_the_genes_that_come_later_have_fewer_levels(names, read):
    whole = pack_genes(names[:10], names[10:], read, ENOUGH).size
    packed = pack_genes(names[:10], names[10:], read, int(0.8 * whole))
    assert packed.names == names
    assert packed.chunk_levels[0] == LEVELS[0]
    assert packed.levels < LEVELS[0]
    assert packed.size <= 0.8 * whole


def test_with_too_little_room_the_first_genes_are_kept(names, read):
    budget = 30_000
    packed = pack_genes(names[:10], names[10:], read, budget)
    assert packed.size + 6 * N_SPOTS <= budget
    assert 10 < len(packed.names) < 130
    assert packed.names == names[: len(packed.names)]


@pytest.mark.parametrize("budget", [0, -5])
def test_without_room_there_is_no_gene(names, read, budget):
    assert pack_genes(names[:10], names[10:], read, budget).names == []


def test_limits_are_those_of_both_maps(maps, names, read):
    packed = pack_genes(names, [], read, ENOUGH)
    expected = [max(np.quantile(maps[0][:, n], 0.995), np.nanquantile(maps[1][:, n], 0.995)) for n in (0, 50)]
    assert [packed.highs[0], packed.highs[50]] == pytest.approx(expected, rel=1e-5)
