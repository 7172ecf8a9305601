import json

import numpy as np
import pytest

from clearspot.report.store import Store, decode


def test_counts_come_back_exactly() -> None:
    counts = np.array([0, 1, 2, 3, 65534])
    store = Store()
    store.numbers("counts", counts)
    np.testing.assert_array_equal(decode(store.arrays["counts"]), counts)


def test_other_numbers_come_back_within_half_a_level_of_their_range() -> None:
    values = np.random.default_rng(0).normal(0, 1000, 500)
    store = Store()
    store.numbers("values", values)
    assert np.abs(decode(store.arrays["values"]) - values).max() <= np.ptp(values) / 65534 / 2 * 1.001


def test_a_missing_value_stays_missing() -> None:
    store = Store()
    store.numbers("values", [1.5, np.nan, np.inf])
    np.testing.assert_array_equal(decode(store.arrays["values"]), [1.5, np.nan, np.nan])


@pytest.mark.parametrize("values", [[], [np.nan], [7.25, 7.25]])
def test_degenerate_arrays_come_back(values: list[float]) -> None:
    store = Store()
    store.numbers("values", values)
    np.testing.assert_array_equal(decode(store.arrays["values"]), values)


def test_a_deflated_array_comes_back_and_is_smaller() -> None:
    values = np.repeat([3.0, np.nan, 70.0], 1000)
    store = Store()
    store.numbers("long", values, deflated=True)
    np.testing.assert_array_equal(decode(store.arrays["long"]), values)
    assert len(json.dumps(store.arrays)) < 200


def test_entries_are_strict_json() -> None:
    store = Store()
    store.numbers("values", [np.nan, 1e300, -3])
    assert json.loads(json.dumps(store.arrays, allow_nan=False)) == store.arrays
