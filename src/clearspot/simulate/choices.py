"""Names and defaults of the simulator that ``clearspot simulate --help`` shows too: imports nothing that takes time."""

from __future__ import annotations

from typing import Final, Literal, get_args

FaultKind = Literal[
    "shifted", "mirrored", "rotated", "shuffled", "dead_region", "torn", "dried", "bleeding", "low_sequencing",
    "low_counts", "blurred", "overexposed", "pale",
]  # fmt: skip
Strength = Literal["weak", "middle", "strong"]

FAULTS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
STRENGTHS: Final[tuple[Strength, ...]] = get_args(Strength)

TISSUE_WIDTH: Final = 0.87
"""Default width of the tissue, as a share of the field's."""
