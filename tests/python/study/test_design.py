"""Which batches are corrected, and which conditions compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clearspot.study.comparison import Comparison, plan_comparison
from clearspot.study.design import Design, plan_correction


def design(**columns: list[str | None]) -> Design:
    n = len(next(iter(columns.values())))
    table = {name: columns.get(name, [None] * n) for name in ("batch", "donor", "condition")}
    return Design(pd.DataFrame(table, index=[f"s{number}" for number in range(n)], dtype=object))


def test_each_section_is_a_batch_of_its_own_where_none_is_stated() -> None:
    plan = plan_correction(design(batch=[None, None, None]))
    assert plan.codes.tolist() == [0, 1, 2]
    assert plan.corrects
    assert not plan.messages


def test_one_batch_leaves_nothing_to_correct() -> None:
    plan = plan_correction(design(batch=["b", "b"]))
    assert not plan.corrects
    assert "one batch (b)" in plan.messages[0].text


def test_batches_that_hold_both_conditions_are_corrected() -> None:
    plan = plan_correction(design(batch=["x", "x", "y", "y"], condition=["a", "b", "a", "b"]))
    assert plan.codes.tolist() == [0, 0, 1, 1]
    assert not plan.confounded


@pytest.mark.parametrize("batch", [["x", "x", "y", "y"], [None] * 4])
def test_batch_and_condition_that_cannot_be_told_apart_are_told_and_left(batch: list[str | None]) -> None:
    plan = plan_correction(design(batch=batch, condition=["a", "a", "b", "b"]))
    assert plan.confounded
    assert not plan.corrects
    (message,) = plan.messages
    assert message.level == "warning"
    assert "Batch and condition are confounded" in message.text
    assert ("column batch is empty" in message.text) == (batch[0] is None)


def test_conditions_that_share_no_batch_are_told_where_others_do() -> None:
    plan = plan_correction(design(batch=["x", "x", "y"], condition=["a", "b", "c"]))
    assert plan.corrects
    assert "Some conditions" in plan.messages[0].text


def test_two_donors_of_each_condition_can_be_compared() -> None:
    plan = plan_comparison(design(donor=["d1", "d2", "d3", "d4"], condition=["b", "b", "a", "a"]))
    assert isinstance(plan, Comparison)
    assert (plan.reference, plan.others, plan.paired) == ("a", ("b",), False)
    assert plan.units["unit"].tolist() == ["d1|b", "d2|b", "d3|a", "d4|a"]


def test_donors_with_every_condition_are_paired() -> None:
    plan = plan_comparison(design(donor=["d1", "d1", "d2", "d2"], condition=["a", "b", "a", "b"]), "b")
    assert isinstance(plan, Comparison)
    assert plan.paired
    assert plan.reference == "b"


@pytest.mark.parametrize(
    ("donor", "condition", "words"),
    [
        (["d1", "d2"], [None, None], "no conditions"),
        (["d1", "d2"], ["a", "a"], "one condition (a)"),
        (["d1", "d1", "d2", "d2"], ["a", "a", "b", "b"], "Too few donors to compare conditions (a: 1; b: 1)"),
        (["d1", None, "d2", "d3"], ["a", "a", "b", "b"], "The donor of s1 is not stated"),
        (["d1", "d2", "d2", "d3"], ["a", "a", "b", "b"], "conditions (d2)"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_words(
    donor: list[str | None], condition: list[str | None], words: str
) -> None:
    plan = plan_comparison(design(donor=donor, condition=condition))
    assert isinstance(plan, str)
    assert words in plan


def test_a_reference_that_is_no_condition_is_refused() -> None:
    plan = plan_comparison(design(donor=["d1", "d2"], condition=["a", "b"]), "c")
    assert isinstance(plan, str)
    assert "a, b" in plan


def test_codes_are_in_the_order_of_the_sections() -> None:
    assert np.array_equal(plan_correction(design(batch=["z", "a", "z"])).codes, [0, 1, 0])
