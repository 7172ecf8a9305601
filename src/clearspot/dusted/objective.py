"""Loss of a section, tile by tile, with its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from clearspot.dusted.model import Dusted
from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section
from clearspot.dusted.thinning import thin_counts
from clearspot.dusted.tile_data import TileCounts, TileInput, tile_counts, tile_input
from clearspot.dusted.tiles import Tile
from clearspot.nn.count_loss import CountLoss


@dataclass
class Objective:
    """The training objective: mean negative log-likelihood of the counts (equations 2.12 and 2.13).

    Parameters
    ----------
    section
        What is trained on.
    tiles
        Partition of its spots.
    params
        Settings.
    device, compute
        Where, and in which precision the dense products are taken.
    held_out
        Counts kept from training, same shape as the section's.
    n_core
        Spots that the tiles hold, over which the mean is taken; all of the section's by default.
    part
        Number of the part that the section is of a larger one: its counts are hidden by a draw of their own.
    """

    section: Section
    tiles: list[Tile]
    params: DustedParams
    device: torch.device
    compute: torch.dtype
    held_out: sp.csr_matrix | None = None
    n_core: int | None = None
    part: int | None = None
    _kept: list[tuple[TileInput, TileCounts]] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._loss = CountLoss(self.compute, compiled=self.params.compile, mean_link=self.params.mean_link)
        self._ratio = self.params.holdout / (1 - self.params.holdout)
        n_spots = self.section.n_spots if self.n_core is None else self.n_core
        entries = n_spots * self.section.n_genes
        self._scale = 1 / (entries if self.params.loss_reduction == "mean" else n_spots)
        self._score_scale = 1 / entries

    def begin_epoch(self, epoch: int) -> None:
        """Draw what this epoch's input lacks: a function of seed and epoch alone, whatever the tiles."""
        fraction = self.params.blind
        if fraction:
            seed = np.random.SeedSequence([self.params.seed, epoch, *([] if self.part is None else [self.part])])
            seen, unseen = thin_counts(self.section.counts, fraction, seed)
            self._seen = self.section.thinned(seen, 1 - fraction, self.params)
            self._unseen = replace(
                self.section, counts=unseen, size_factor=self.section.size_factor * np.float32(fraction)
            )

    @property
    def steps_per_epoch(self) -> int:
        """One: the section is a single step."""
        return 1

    def steps(self, epoch: int) -> Iterator[Objective]:
        """What the steps of an epoch are taken on: here one step, on the whole section."""
        self.begin_epoch(epoch)
        yield self

    def backward(self, model: Dusted, number: int) -> tuple[float, float]:
        """Add one tile's share of the gradient to the model's parameters.

        Returns
        -------
        The tile's share of the loss and of the held-out score: summed over tiles they are the section's.
        """
        score: Tensor | float = 0.0
        if self.params.blind:
            if self.held_out is not None:
                with torch.no_grad():
                    score = self._loss_and_score(model, *self._tile(number))[1]
            loss, _ = self._loss_and_score(model, *self._blind_tile(number))
        else:
            loss, score = self._loss_and_score(model, *self._tile(number))
        loss = loss * self._scale
        loss.backward()
        return float(loss.detach()), float(score) * self._score_scale

    @torch.no_grad()
    def score(self, model: Dusted) -> float:
        """Held-out score of the section as the model stands."""
        scores = (self._loss_and_score(model, *self._tile(number))[1] for number in range(len(self.tiles)))
        return sum(map(float, scores)) * self._score_scale

    def _loss_and_score(self, model: Dusted, source: TileInput, counts: TileCounts) -> tuple[Tensor, Tensor]:
        _, received = model(source.x, source.neighbourhood)
        n_core = source.size_factor.numel()
        return self._loss(
            [part[:n_core] for part in received] if received[0].shape[0] > n_core else received,
            list(model.heads.weights),
            model.heads.intercepts(source.offset),
            counts.size_factor,
            counts.blocks,
            counts.held_out,
        )

    def _tile(self, number: int) -> tuple[TileInput, TileCounts]:
        """A single tile stays on the device; of several, only the one at work does, so that memory stays flat."""
        if self._kept:
            return self._kept[0]
        tile = self.tiles[number]
        made = (
            tile_input(self.section, tile, self.device, self.compute),
            tile_counts(self.section, tile, self.device, self.held_out, self._ratio),
        )
        if len(self.tiles) == 1:
            self._kept.append(made)
        return made

    def _blind_tile(self, number: int) -> tuple[TileInput, TileCounts]:
        tile = self.tiles[number]
        return (
            tile_input(self._seen, tile, self.device, self.compute),
            tile_counts(self._unseen, tile, self.device, None, 0.0),
        )
