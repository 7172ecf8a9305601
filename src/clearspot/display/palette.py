"""Colours that colour-blind readers tell apart, on light and on dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SEQUENTIAL: Final = "Viridis"
"""Perceptually uniform; plotly's own name for it."""

# Okabe and Ito (2008) without black, then hues that Tol's "muted" scheme (2021) adds: 16 that colour-blind readers tell
# apart. Then, each, the colour of CIELAB (lightness 42 to 86, chroma above 22) that is farthest from all before it.
QUALITATIVE: Final = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#882255",
    "#999933", "#332288", "#AA4499", "#117733", "#88CCEE", "#DDCC77", "#CC6677", "#44AA99",
    "#0DEA0D", "#BB0DFA", "#FA0D4C", "#8BEA7B", "#FA0DCA", "#9B8BFA", "#2C4CFA", "#8B5C2C",
    "#FA1D8B", "#FABBAB", "#ABEA0D", "#0D9B0D", "#EACAFA", "#AB4CDA", "#FA1D0D", "#FA8BFA",
    "#0DEAAB", "#EA9B5C", "#6C7B4C", "#9BCA8B", "#BB3C2C", "#0DEAFA", "#0D5CDA", "#2C7B8B",
)  # fmt: skip

_OF_ONE_SHAPE: Final = 16

SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "cross")
"""Each sixteen classes have a shape of their own: beyond sixteen, colours alone are hard to tell apart."""

PASS: Final = "#0072B2"
FAIL: Final = "#D55E00"
NEUTRAL: Final = "#8A96A3"
SPOTS: Final = "#0072B2"


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Return one colour a label; after the last colour they begin again (see :func:`symbol`)."""
    return {label: QUALITATIVE[number % len(QUALITATIVE)] for number, label in enumerate(labels)}


def symbol(number: int) -> str:
    """Return the marker of the n-th class."""
    return SYMBOLS[number // _OF_ONE_SHAPE % len(SYMBOLS)]
