"""Colours that colour-blind readers tell apart, on light and on dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SEQUENTIAL: Final = "Viridis"
"""Perceptually uniform; plotly's own name for it."""

# Okabe and Ito (2008) without black, then hues that Tol's "muted" scheme (2021) adds.
QUALITATIVE: Final = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#882255",
    "#999933", "#332288", "#AA4499", "#117733", "#88CCEE", "#DDCC77", "#CC6677", "#44AA99",
)  # fmt: skip

SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "cross")
"""A further class gets a colour again, but in another shape."""

PASS: Final = "#0072B2"
FAIL: Final = "#D55E00"
NEUTRAL: Final = "#8A96A3"
SPOTS: Final = "#0072B2"


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Return one colour a label; after the last colour they begin again (see :func:`symbol`)."""
    return {label: QUALITATIVE[number % len(QUALITATIVE)] for number, label in enumerate(labels)}


def symbol(number: int) -> str:
    """Return the marker of the n-th class."""
    return SYMBOLS[number // len(QUALITATIVE) % len(SYMBOLS)]
