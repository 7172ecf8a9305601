"""Barcodes of matrix and positions are matched exactly where they can be, and never to a wrong place."""

from pathlib import Path

import pandas as pd
import pytest

from clearspot.errors import BadInputError
from clearspot.io.barcodes import match_barcodes, no_position, require_unique

A, B, C = "AAACAAGTATCTCCCA", "CGAAACATAGATGGCA", "GTAGCACTTTGTACCC"


def index(*barcodes):
    return pd.Index(barcodes, dtype=object)


def test_exact_in_any_order():
    match = match_barcodes(index(f"{C}-1", f"{A}-1"), index(f"{A}-1", f"{B}-1", f"{C}-1"))
    assert (match.exact, list(match.rows)) == (True, [2, 0])


@pytest.mark.parametrize(
    "form", ["{}", "{}-2", "s1_{}-1", "s1#{}-1", "{}-1-0", "{}-1_s1", "GATTACA_{}", "{}-1_Anterior"]
)
def test_suffix_or_prefix_on_one_side_only(form):
    forward = match_barcodes(index(form.format(C), form.format(A)), index(f"{A}-1", f"{B}-1", f"{C}-1"))
    backward = match_barcodes(index(f"{C}-1", f"{A}-1"), index(*(form.format(word) for word in (A, B, C))))
    assert (forward.exact, list(forward.rows)) == (backward.exact, list(backward.rows)) == (False, [2, 0])


def test_hd_barcodes():
    match = match_barcodes(index("s_008um_00002_00001"), index("s_008um_00001_00002-1", "s_008um_00002_00001-1"))
    assert (match.exact, list(match.rows)) == (False, [1])


def test_hd_barcodes_of_another_bin_size_do_not_match():
    assert list(match_barcodes(index("s_008um_00002_00001-1"), index("s_016um_00002_00001-1")).rows) == [-1]


def test_other_barcodes_match_only_exactly():
    assert list(match_barcodes(index("10x13", "2x4"), index("2x4", "10x12")).rows) == [-1, 0]


def test_aggregated_matrix_is_not_forced_onto_the_positions_of_one_sample():
    match = match_barcodes(index(f"{A}-1", f"{A}-2"), index(f"{A}-1", f"{B}-1"))
    assert (match.exact, list(match.rows)) == (True, [0, -1])


def test_exact_matches_are_kept_where_the_core_finds_no_more():
    match = match_barcodes(index(f"{A}-1", f"{C}-1"), index(f"{A}-1", f"{B}-1"))
    assert (match.exact, list(match.rows)) == (True, [0, -1])


def test_barcodes_without_position_are_counted_and_named():
    barcodes = index(f"{A}-1", f"{C}-1")
    error = no_position(barcodes, match_barcodes(barcodes, index(f"{A}-1")), Path("spatial/p.csv"), "s")
    assert f"no position for 1 of the matrix's 2 barcodes, for example {C}-1" in str(error)


def test_all_with_position_is_no_error():
    assert no_position(index(A), match_barcodes(index(A), index(A)), Path("p.csv"), "s") is None


def test_duplicates_are_refused_by_name():
    with pytest.raises(BadInputError, match="1 duplicated barcodes, for example A"):
        require_unique(index("A", "B", "A", "A"), Path("m.h5"), "s")


def test_unique_barcodes_pass():
    require_unique(index("A", "B"), Path("m.h5"), "s")
