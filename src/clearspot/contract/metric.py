"""What the declaration of a metric says, and whether a value is of the declared kind."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Final, Literal

Kind = Literal["count", "number", "score", "fraction", "percent", "skill", "flag", "text"]
"""``count``: whole and not negative; ``number``: any; ``score``: a number to be compared between methods or samples;
``fraction``: 0 to 1; ``percent``: 0 to 100; ``skill``: 1 less a ratio of errors, at most 1, negative where worse;
``flag``: yes or no; ``text``: words."""

Better = Literal["higher", "lower", "neither"]

_RANGES: Final[dict[Kind, tuple[float, float]]] = {
    "count": (0, math.inf),
    "fraction": (0, 1),
    "percent": (0, 100),
    "skill": (-math.inf, 1),
}

_SLACK: Final = 1e-6
"""Share of a limit by which rounding may exceed it."""

_KIND_WORDS: Final[dict[Kind, str]] = {"fraction": "0 to 1", "percent": "percent", "skill": "at most 1"}


@dataclass(frozen=True)
class Metric:
    """Declaration of one metric.

    Parameters
    ----------
    steps
        Steps that write it.
    name
        Key in the records' ``metrics``.
    kind
        What its values are, and so how they are checked and shown.
    title
        Label in tables and reports, without its unit.
    description
        What is measured, where the title does not say it; a phrase without capital and full stop.
    unit
        Unit of a count, number or score; empty: none.
    better
        Direction that is better for the user of the sample.
    when
        Condition under which it is written; empty: always.
    """

    steps: tuple[str, ...]
    name: str
    kind: Kind
    title: str
    description: str = ""
    unit: str = ""
    better: Better = "neither"
    when: str = ""

    @property
    def label(self) -> str:
        """Title with its unit, for the head of a column."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def meaning(self) -> str:
        """What is measured, with its unit or range, for the documentation."""
        acronym = self.title[1:2].isupper()
        words = self.description or (self.title if acronym else self.title[:1].lower() + self.title[1:])
        measure = self.unit or _KIND_WORDS.get(self.kind, "")
        return f"{words}, {measure}" if measure else words

    def title_for(self, place: str) -> str:
        """Title where measured places are called ``place``: ``spot``, or ``bin`` or ``cell`` on Visium HD."""
        return of_places(self.title, place)

    def accepts(self, value: Any) -> bool:
        """Whether a value is of the declared kind; one that was not measured (``None``, NaN) always is."""
        value = value.item() if hasattr(value, "item") else value
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return True
        if self.kind == "text":
            return isinstance(value, str)
        if self.kind == "flag":
            return isinstance(value, bool)
        if isinstance(value, bool) or not isinstance(value, Integral if self.kind == "count" else Real):
            return False
        low, high = _RANGES.get(self.kind, (-math.inf, math.inf))
        return low - _SLACK <= float(value) <= high * (1 + _SLACK)


def of_places(text: str, place: str) -> str:
    """Call measured places ``place`` in a text that calls them spots."""
    return text.replace("spot", place).replace("Spot", place.capitalize())
