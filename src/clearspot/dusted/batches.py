"""A large section in batches of spots, each of which is one step of the optimiser.

One step over half a million bins costs minutes and teaches little more than one over a few thousand of them. Sections
up to ``WHOLE_UP_TO`` spots, every Visium section among them, are stepped on as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy.sparse as sp

from clearspot.dusted.model import Dusted
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.parts import Part, part_of, spot_batches
from clearspot.dusted.section import Section

WHOLE_UP_TO = 20_000
"""Most spots of a section that is one step, where the settings say nothing: the largest Visium slide has 14,336."""

SPOTS_PER_STEP = 4096
"""Spots of a step on a larger section, where the settings say nothing."""

STEPS_PER_EPOCH = 16
"""Steps between two looks at the held-out score."""

SCORED_BATCHES = 8
"""Batches whose held-out counts are looked at, drawn once."""

MakeObjective = Callable[[Part, sp.csr_matrix | None, int | None], Objective]


def batch_size(section: Section, params: DustedParams) -> int | None:
    """Spots of a step; ``None``: the section is one step."""
    most = params.spots_per_step or (SPOTS_PER_STEP if section.n_spots > WHOLE_UP_TO else section.n_spots)
    return None if most >= section.n_spots or section.positions is None else most


class Batches:
    """What training on a large section goes through.

    Parameters
    ----------
    section
        What is trained on.
    held_out
        Counts kept from training, same shape.
    params
        Settings.
    most
        Most spots of a batch.
    max_spots
        Most core spots of a tile. What is learned does not depend on it.
    make_objective
        Objective of a part, with the held-out counts of its spots and the number of the batch.
    """

    def __init__(
        self,
        section: Section,
        held_out: sp.csr_matrix | None,
        params: DustedParams,
        most: int,
        max_spots: int,
        make_objective: MakeObjective,
    ):
        if section.positions is None:
            raise ValueError("a section without positions cannot be cut into batches")
        self.held_out = held_out
        self._section, self._seed, self._max_spots = section, params.seed, max_spots
        self._make_objective = make_objective
        self._batches = spot_batches(section.positions, most, section.code)
        chosen = np.sort(self._permutation(-1)[:SCORED_BATCHES])
        self.sample = part_of(section, [self._batches[number] for number in chosen], max_spots)
        kept = None if held_out is None else self.sample.rows(held_out)
        self._scored = make_objective(self.sample, kept, None)

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch: every batch once, but no more than ``STEPS_PER_EPOCH``."""
        return min(len(self._batches), STEPS_PER_EPOCH)

    def order(self, epoch: int) -> list[int]:
        """Batches of an epoch, a function of seed and epoch alone: every batch comes once before any comes again."""
        first = epoch * self.steps_per_epoch
        places = range(first, first + self.steps_per_epoch)
        passes = {place // len(self) for place in places}
        orders = {number: self._permutation(number) for number in passes}
        return [int(orders[place // len(self)][place % len(self)]) for place in places]

    def steps(self, epoch: int) -> Iterator[Objective]:
        """What the steps of an epoch are taken on, one batch after the other."""
        for number in self.order(epoch):
            part = part_of(self._section, [self._batches[number]], self._max_spots)
            objective = self._make_objective(part, None, number)
            objective.begin_epoch(epoch)
            yield objective

    def score(self, model: Dusted) -> float:
        """Held-out score of the sample of batches as the model stands."""
        return self._scored.score(model)

    def _permutation(self, number: int) -> np.ndarray:
        """Order of the batches in a pass over the section; -1 is the draw of those that are scored."""
        return np.random.default_rng([self._seed, number + 1]).permutation(len(self._batches))
