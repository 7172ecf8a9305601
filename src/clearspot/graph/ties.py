"""When two distances count as equal: no edge may hang on how a coordinate was rounded."""

from __future__ import annotations

from typing import Final

TIE: Final = 1e-6
"""Relative difference up to which two distances are equal. Shifting, turning or scaling a section changes distances by
some 1e-12 of the pitch; of scattered spots, one in 100,000 has two neighbours that close to a tie by chance."""


def at_most(limit: float) -> float:
    """Bound for ``distance <= bound`` that lets in what equals the limit."""
    return limit * (1 + TIE)


def less_than(limit: float) -> float:
    """Bound for ``distance <= bound`` that keeps out what equals the limit."""
    return limit * (1 - TIE)
