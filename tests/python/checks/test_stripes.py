"""Stripes and borders of a lattice of bins: measured as they were made, and nothing where there are none."""

import numpy as np
import pytest

from clearspot.checks.border import compare_border
from clearspot.checks.stripes import measure_stripes

SHAPE = (120, 140)


def section(strength: float, seed: int = 0, counts: float = 40.0):
    """Bins of a tissue with a hole, bright bands along its rows and a gradient, under stripes of a given strength."""
    rng = np.random.default_rng(seed)
    row, column = (grid.ravel() for grid in np.mgrid[: SHAPE[0], : SHAPE[1]])
    there = np.hypot(row - 60, column - 30) > 18
    row, column = row[there], column[there]
    tissue = np.exp(0.8 * np.sin(row / 9 + column / 40) + column / 140)
    of_row, of_column = np.exp(rng.normal(0, strength, SHAPE[0])), np.exp(rng.normal(0, strength, SHAPE[1]))
    totals = rng.poisson(counts * tissue * of_row[row] * of_column[column])
    return row, column, totals, of_row, of_column


@pytest.mark.parametrize("strength", [0.05, 0.1, 0.3])
def test_the_strength_is_the_one_that_was_made(strength: float) -> None:
    row, column, totals, *_ = section(strength)
    found = measure_stripes(row, column, totals)
    assert found is not None
    assert found.rows.strength == pytest.approx(strength, rel=0.25)
    assert found.columns.strength == pytest.approx(strength, rel=0.25)


def test_without_stripes_nothing_is_found_and_hardly_anything_taken_off() -> None:
    for seed in range(5):
        row, column, totals, *_ = section(0.0, seed)
        found = measure_stripes(row, column, totals)
        assert found is not None
        assert max(found.rows.strength, found.columns.strength) < 0.03
        assert np.std(np.log(found.of_bin)) < 0.02


def test_factors_are_those_of_the_rows() -> None:
    row, column, totals, of_row, _ = section(0.15)
    found = measure_stripes(row, column, totals)
    assert found is not None
    np.testing.assert_array_equal(found.rows.number, np.arange(SHAPE[0]))
    assert np.corrcoef(np.log(found.rows.factor), np.log(of_row))[0, 1] > 0.9


def test_a_numbering_that_starts_elsewhere_changes_nothing() -> None:
    row, column, totals, *_ = section(0.1)
    here, there = measure_stripes(row, column, totals), measure_stripes(row + 300, column + 7, totals)
    assert here is not None
    assert there is not None
    np.testing.assert_allclose(here.of_bin, there.of_bin)
    assert there.rows.number[0] == 300


def test_low_counts_are_no_stripes() -> None:
    row, column, totals, *_ = section(0.0, counts=0.3)
    found = measure_stripes(row, column, totals)
    assert found is not None
    assert max(found.rows.strength, found.columns.strength) < 0.05


def test_a_small_section_is_not_measured() -> None:
    row, column = (grid.ravel() for grid in np.mgrid[:15, :15])
    assert measure_stripes(row, column, np.ones(225)) is None
    assert measure_stripes(row[:0], column[:0], np.ones(0)) is None


def test_a_border_of_half_bins_is_seen() -> None:
    row, column = (grid.ravel().astype(np.int64) for grid in np.mgrid[800:838, 100:160])
    totals = np.where(row == 837, 20.0, 50.0)
    found = compare_border(row, column, totals, 8.0)
    assert found.n_bins == 60
    assert found.ratio == pytest.approx(0.4)


def test_tissue_within_the_slide_has_no_border() -> None:
    row, column = (grid.ravel().astype(np.int64) for grid in np.mgrid[300:340, 100:160])
    found = compare_border(row, column, np.ones(len(row)), 8.0)
    assert (found.n_bins, found.ratio) == (0, None)
