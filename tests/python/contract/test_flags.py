"""Truth values are read right in every form in which files store them, or refused by name."""

import numpy as np
import pandas as pd
import pytest

from clearspot.contract.flags import read_flag
from clearspot.errors import BadInputError

TRUTH = [True, False, True]


@pytest.mark.parametrize(
    "values",
    [
        TRUE_FALSE := [True, False, True],
        np.array([1, 0, 1]),
        np.array([1.0, 0.0, 1.0]),
        pd.array(TRUE_FALSE, dtype="boolean"),
        pd.array([1, 0, 1], dtype="Int64"),
        ["True", "False", "True"],
        ["true", "FALSE", " true "],
        ["1", "0", "1"],
        ["1.0", "0.0", "1.0"],
        ["yes", "no", "T"],
        pd.array(["True", "False", "True"], dtype="string"),
        pd.Categorical(["True", "False", "True"]),
        pd.Categorical(TRUE_FALSE),
        pd.Categorical([1, 0, 1]),
        np.array([True, "False", 1], dtype=object),
    ],
    ids=lambda values: str(getattr(values, "dtype", values)),
)
def test_every_form_of_a_flag_is_read(values):
    flag = read_flag(pd.DataFrame({"in_tissue": values}), "in_tissue")
    assert flag.dtype == bool
    assert flag.tolist() == TRUTH


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1.0, np.nan, np.nan], "2 missing values among 3 rows"),
        (pd.array([True, None, False], dtype="boolean"), "1 missing values among 3 rows"),
        (pd.Categorical(["True", None, "False"]), "1 missing values among 3 rows"),
        (np.array([True, None, False], dtype=object), "1 missing values among 3 rows"),
        (["True", "maybe", "maybe"], "2 values that are neither true nor false ('maybe') among 3 rows"),
        ([0, 1, 2], "1 values that are neither true nor false ('2') among 3 rows"),
        ([0.5, None, 1.0], "1 missing values and 1 values that are neither true nor false ('0.5') among 3 rows"),
    ],
)
def test_what_is_no_truth_value_is_refused_by_name_and_number(values, found):
    with pytest.raises(BadInputError) as refused:
        read_flag(pd.DataFrame({"qc_pass": values}), "qc_pass", "s1")
    problem = refused.value.problems[0]
    assert problem.sample == "s1"
    assert found in problem.found
    assert "obs['qc_pass']" in problem.found


@pytest.mark.parametrize("dtype", [bool, float, object, "boolean", "category"])
def test_empty_column(dtype):
    assert read_flag(pd.DataFrame({"a": pd.Series([], dtype=dtype)}), "a").tolist() == []
