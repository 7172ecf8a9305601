"""Which spots the networks learn from, which choose among them, and which only score the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.params import DiffstParams


@dataclass(frozen=True)
class Split:
    """Masks ``(spots,)``: what the networks learn from, what chooses among them, and what only scores the result."""

    training: NDArray[np.bool_]
    choosing: NDArray[np.bool_]
    scoring: NDArray[np.bool_]


def split_spots(section: SpotSection, params: DiffstParams) -> Split:
    """Hold ``params.holdout`` of the spots back at random, half of them to choose and half to score."""
    chance = np.random.default_rng([params.seed, 1]).random(len(section.rows))
    return Split(
        chance >= params.holdout,
        chance < params.holdout / 2,
        (chance < params.holdout) & (chance >= params.holdout / 2),
    )
