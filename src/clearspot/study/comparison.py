"""Which comparison of conditions the donors of a study allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from clearspot import keys
from clearspot.study.design import Design

FEWEST_DONORS: Final = 2
"""Donors of each condition; spots and sections of one donor are no replicates."""

UNIT: Final = "unit"


@dataclass(frozen=True)
class Comparison:
    """Conditions that can be compared.

    Parameters
    ----------
    units
        A row a section that takes part: ``donor``, ``condition``, ``batch`` and ``unit``, which is a donor in a
        condition.
    reference
        Condition that the others are compared with.
    others
        The others, in alphabetical order.
    paired
        Whether every donor has sections of every condition.
    """

    units: pd.DataFrame
    reference: str
    others: tuple[str, ...]
    paired: bool


def plan_comparison(design: Design, reference: str | None = None) -> Comparison | str:
    """Find the comparison that the design allows, or say in words why there is none and what it would take.

    Parameters
    ----------
    design
        The study.
    reference
        Condition to compare with; the first in alphabetical order if ``None``.
    """
    conditions = design.conditions
    if len(conditions) < 2:
        found = f"one condition ({conditions[0]})" if conditions else "no conditions"
        return f"The sections have {found}. A comparison needs sections of two conditions (column condition)."
    if reference is not None and reference not in conditions:
        return f"There is no condition '{reference}'. The conditions are {', '.join(conditions)}."
    units = design.table[design.table[keys.CONDITION].notna()].copy()
    units[keys.BATCH] = design.batches[units.index]
    nameless = units.index[units[keys.DONOR].isna()]
    if len(nameless):
        return (
            f"The donor of {', '.join(map(str, nameless))} is not stated. Donors are the replicates "
            "of a comparison: fill in the column donor for every section with a condition."
        )
    donors = units.groupby(keys.CONDITION)[keys.DONOR].nunique()
    few = [f"{name}: {number}" for name, number in donors.items() if number < FEWEST_DONORS]
    if few:
        return (
            f"Too few donors to compare conditions ({'; '.join(few)}). At least {FEWEST_DONORS} donors of each "
            "condition are required, and three or more give the test useful power. More sections or spots of the same "
            "donor do not help."
        )
    n_conditions = units.groupby(keys.DONOR)[keys.CONDITION].nunique()
    paired = bool((n_conditions == len(conditions)).all())
    if not paired and (n_conditions > 1).any():
        twice = ", ".join(map(str, n_conditions.index[n_conditions > 1]))
        return (
            f"Some donors have sections of several conditions ({twice}) and others of one only. Either every donor or "
            "no donor must have all conditions: leave the condition of the other sections empty."
        )
    named = zip(units[keys.DONOR], units[keys.CONDITION], strict=True)
    units[UNIT] = [f"{donor}|{condition}" for donor, condition in named]
    first = reference or conditions[0]
    return Comparison(units, first, tuple(name for name in conditions if name != first), paired)
