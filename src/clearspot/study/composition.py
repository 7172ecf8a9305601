"""How large a share of the tissue each shared domain is, compared between conditions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.study.comparison import UNIT, Comparison

LEVEL: Final = 0.95

COLUMNS: Final = (
    "domain", "condition", "reference", "n_donors", "n_donors_reference", "fraction", "fraction_reference",
    "odds_ratio", "odds_ratio_low", "odds_ratio_high", "p_value", "p_adjusted",
)  # fmt: skip


def compare_composition(counts: pd.DataFrame, comparison: Comparison) -> dict[str, list[Any]]:
    """Compare the log odds of each domain between conditions, a value a donor.

    Unpaired: Welch's t-test; paired: the t-test of the donors' differences. Shares add up to 1, so that one domain's
    gain is another's loss: the tests of a comparison are not independent.

    Parameters
    ----------
    counts
        Spots by section and domain (:func:`clearspot.study.shared_domains.domain_counts`).
    comparison
        What is compared.

    Returns
    -------
    Table with a row per domain and condition: mean shares, the odds ratio with its 95 % interval, the p-value, and
    that adjusted over all rows (Benjamini and Hochberg).
    """
    from scipy.stats import false_discovery_control

    units = comparison.units
    by_unit = counts.loc[units.index].groupby(units[UNIT].to_numpy()).sum()
    of_unit = units.drop_duplicates(UNIT).set_index(UNIT).loc[by_unit.index]
    total = by_unit.sum(axis=1)
    table: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for other in comparison.others:
        for domain in by_unit:
            # half a spot on either side keeps a domain that a donor lacks finite
            logit = np.log((by_unit[domain] + 0.5) / (total - by_unit[domain] + 0.5))
            share = by_unit[domain] / total
            first, second = (
                of_unit[of_unit[keys.CONDITION] == name].sort_values(keys.DONOR).index
                for name in (comparison.reference, other)
            )
            difference, low, high, p_value = _difference(
                logit[first].to_numpy(), logit[second].to_numpy(), comparison.paired
            )
            values = (
                str(domain), other, comparison.reference, len(second), len(first), float(share[second].mean()),
                float(share[first].mean()), *(float(np.exp(x)) for x in (difference, low, high)), p_value,
            )  # fmt: skip
            for name, value in zip(COLUMNS, values, strict=False):
                table[name].append(value)
    p_values = np.array(table["p_value"])
    known = np.isfinite(p_values)
    adjusted = np.full(len(p_values), np.nan)
    adjusted[known] = false_discovery_control(p_values[known])
    table["p_adjusted"] = adjusted.tolist()
    return table


def _difference(
    first: NDArray[np.float64], second: NDArray[np.float64], paired: bool
) -> tuple[float, float, float, float]:
    """Mean of ``second`` less that of ``first``, its interval, and the p-value."""
    from scipy.stats import ttest_1samp, ttest_ind

    if paired:
        change = second - first
        if not change.std():
            return float(change.mean()), np.nan, np.nan, np.nan
        found = ttest_1samp(change, 0.0)
    else:
        if not first.std() and not second.std():
            return float(second.mean() - first.mean()), np.nan, np.nan, np.nan
        found = ttest_ind(second, first, equal_var=False)
    interval = found.confidence_interval(LEVEL)
    return float(second.mean() - first.mean()), float(interval.low), float(interval.high), float(found.pvalue)
