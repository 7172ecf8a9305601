"""Shares of domains between conditions, donors as replicates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from clearspot.study.comparison import Comparison, plan_comparison
from clearspot.study.composition import compare_composition
from clearspot.study.design import Design


def comparison(n_donors: int, *, paired: bool = False) -> Comparison:
    donors = [f"d{number}" for number in range(n_donors if paired else 2 * n_donors)]
    table = pd.DataFrame(
        {
            "batch": None,
            "donor": donors * 2 if paired else donors,
            "condition": ["a"] * n_donors + ["b"] * n_donors,
        },
        index=[f"s{number}" for number in range(2 * n_donors)],
        dtype=object,
    )
    plan = plan_comparison(Design(table))
    assert isinstance(plan, Comparison)
    return plan


def counts(rng: np.random.Generator, n_donors: int, shift: float, donor_sd: float = 0.4) -> pd.DataFrame:
    """Two domains; the log odds of the first vary between donors, and are shifted in the second condition."""
    logit = rng.normal(0, donor_sd, 2 * n_donors) + np.repeat([0, shift], n_donors)
    first = rng.binomial(1000, 1 / (1 + np.exp(-logit)))
    return pd.DataFrame({"1": first, "2": 1000 - first}, index=[f"s{number}" for number in range(2 * n_donors)])


def test_p_values_are_uniform_where_nothing_differs() -> None:
    rng, plan = np.random.default_rng(0), comparison(4)
    p_values = [compare_composition(counts(rng, 4, 0.0), plan)["p_value"][0] for _ in range(200)]
    assert kstest(p_values, "uniform").pvalue > 0.01


def test_a_planted_change_is_found_with_its_interval() -> None:
    rng, plan = np.random.default_rng(1), comparison(5)
    tables = [compare_composition(counts(rng, 5, 1.5), plan) for _ in range(100)]
    assert np.mean([table["p_value"][0] < 0.05 for table in tables]) > 0.9
    covered = [table["odds_ratio_low"][0] < np.exp(1.5) < table["odds_ratio_high"][0] for table in tables]
    assert 0.88 < np.mean(covered) <= 1
    assert np.mean(np.log([table["odds_ratio"][0] for table in tables])) == pytest.approx(1.5, abs=0.15)


def test_sections_of_one_donor_are_one_observation() -> None:
    table = counts(np.random.default_rng(2), 3, 0.0)
    plan = comparison(3)
    doubled = pd.concat([table, table.rename(index=lambda name: f"{name}_again")])
    units = pd.concat([plan.units, plan.units.rename(index=lambda name: f"{name}_again")])
    once = compare_composition(table, plan)
    twice = compare_composition(doubled, Comparison(units, plan.reference, plan.others, plan.paired))
    assert twice["n_donors"] == once["n_donors"] == [3, 3]
    assert twice["p_value"] == pytest.approx(once["p_value"], abs=0.01)


def test_pairs_take_the_donors_out() -> None:
    rng, plan = np.random.default_rng(3), comparison(4, paired=True)
    of_donor = np.tile(rng.normal(0, 2, 4), 2)
    logit = of_donor + np.repeat([0, 0.8], 4) + rng.normal(0, 0.05, 8)
    first = np.round(1000 / (1 + np.exp(-logit))).astype(int)
    table = pd.DataFrame({"1": first, "2": 1000 - first}, index=plan.units.index)
    assert plan.paired
    assert compare_composition(table, plan)["p_value"][0] < 0.01
