"""One training run on one section, from thinning to checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch.optim.lr_scheduler import LRScheduler

from clearspot.dusted.batches import Batches, batch_size
from clearspot.dusted.checkpoint import load_checkpoint, resume, save_checkpoint, warm_start
from clearspot.dusted.dispersion import start_dispersions
from clearspot.dusted.evaluation import HeldOutComparison, compare_held_out
from clearspot.dusted.from_anndata import Source
from clearspot.dusted.gene_totals import keep_gene_totals
from clearspot.dusted.inference import embed, means
from clearspot.dusted.model import Dusted, build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.parts import Part
from clearspot.dusted.section import Section
from clearspot.dusted.spectral_start import choose_self_gate, start_at_directions
from clearspot.dusted.team import TeamObjective, current_team, in_parallel
from clearspot.dusted.thinning import thin_counts
from clearspot.dusted.tile_size import spots_that_fit
from clearspot.dusted.tiles import Tile, make_tiles
from clearspot.dusted.training import TrainingState, new_optimizer, new_schedule, train
from clearspot.learning.checkpoint_file import refused_checkpoints
from clearspot.learning.device import resolve_precision
from clearspot.learning.progress import Progress, Watched
from clearspot.learning.saving import CheckpointClock


class Run:
    """Training on one section, with what it needs from beginning to end."""

    def __init__(self, source: Source, sample: str, params: DustedParams, device: torch.device):
        self.sample = sample
        self.params = params
        self.device = device
        self.compute = resolve_precision(params.precision, device)
        section = source.section
        self.team = current_team()
        if section.study is not None and not params.gene_intercept:
            raise ValueError("several sections in one model need gene_intercept")
        self.max_spots = self._most_spots(section)
        self.tiles: list[Tile] = make_tiles(section.graph, section.positions, self.max_spots, section.code)
        self.held_out: sp.csr_matrix | None = None
        self.training: Section = section
        if params.holdout:
            kept, self.held_out = thin_counts(section.counts, params.holdout, params.seed)
            self.training = section.thinned(kept, 1 - params.holdout, params)
        self._optimizer: torch.optim.Optimizer
        self._schedule: LRScheduler

    def _most_spots(self, section: Section) -> int:
        """Core spots of a tile: what was asked for or fits, and no more than leaves a tile for every process."""
        most = self.params.max_spots_per_tile or spots_that_fit(section.n_genes, self.params.hidden, self.device)
        if self.team.size == 1:
            return most
        if self.params.max_spots_per_tile is None and self.device.type == "cpu":
            most //= self.team.size
        return max(1, min(most, section.n_spots // self.team.size))

    def _rates(self) -> DustedParams:
        """The settings with the learning rate of this section."""
        if batch_size(self.training, self.params) is None:
            return self.params
        return replace(self.params, lr=self.params.lr * self.params.batch_lr)

    def _objective(self, model: Dusted) -> Objective | Batches:
        """Loss of the section, or of the batches of a large one; with several processes this one's tiles of it."""
        parallel = None if self.team.size == 1 else in_parallel(model)

        def objective_of(
            section: Section, tiles: list[Tile], held_out: sp.csr_matrix | None, n_core: int, part: int | None = None
        ) -> Objective:
            settings = (self.params, self.device, self.compute, held_out, n_core, part)
            if parallel is None:
                return Objective(section, tiles, *settings)
            return TeamObjective(section, tiles[self.team.rank :: self.team.size], *settings, parallel=parallel)

        most = batch_size(self.training, self.params)
        if most is None:
            return objective_of(self.training, self.tiles, self.held_out, self.training.n_spots)
        if self.team.size > 1:
            # every process needs a tile of every batch, the smallest of which has half as many spots as the largest
            self.max_spots = max(1, min(self.max_spots, most // (2 * self.team.size)))

        def of_part(part: Part, held_out: sp.csr_matrix | None, number: int | None) -> Objective:
            return objective_of(part.section, part.tiles, held_out, part.n_core, number)

        return Batches(self.training, self.held_out, self.params, most, self.max_spots, of_part)

    def train(
        self, checkpoint: Path | None, resume_from: Path | None, warm_start_from: Path | None, progress: bool
    ) -> tuple[Dusted, TrainingState, float]:
        """Build, start or resume, and train; give the model, the state and the seconds this took."""
        model = build_model(self.training, self.params, self.compute)
        if self.params.start == "spectral" and resume_from is None:
            start_at_directions(model, self.training, self.params.seed)
        model = model.to(self.device)
        self._optimizer = new_optimizer(model, self._rates())
        self._schedule = new_schedule(self._optimizer, self.params)
        state = TrainingState()
        for path in filter(None, (resume_from, warm_start_from)):
            with refused_checkpoints(self.sample, path):
                content = load_checkpoint(path)
                if path is warm_start_from:
                    warm_start(content, model=model, section=self.training)
                else:
                    state = resume(
                        content,
                        model=model,
                        optimizer=self._optimizer,
                        schedule=self._schedule,
                        params=self.params,
                        section=self.training,
                    )
        objective = self._objective(model)
        began = time.perf_counter()
        if self.params.start == "spectral" and not (resume_from or warm_start_from):
            if self.held_out is not None:
                choose_self_gate(model, lambda: objective.score(model))
            section, tiles = self.training, self.tiles
            if isinstance(objective, Batches):
                section, tiles = objective.sample.section, objective.sample.tiles
            keep_gene_totals(model, section, Watched(tiles, "dusted, start: tile", shown=progress), self.device)
            start_dispersions(model, section, Watched(tiles, "dusted, start: tile", shown=progress), self.device)
        callbacks: list[Callable[[TrainingState], Any]] = []
        if checkpoint is not None:
            callbacks.append(_Checkpoints(self, checkpoint, model))
        with Progress("dusted", self.params.epochs, state.epoch, unit="epoch", shown=progress) as bar:
            callbacks.insert(0, lambda state: bar.step(_note(state)))
            optimizer, schedule = self._optimizer, self._schedule
            state = train(
                model,
                optimizer,
                schedule,
                objective,
                self.params,
                state=state,
                after_epoch=callbacks,
                within_epoch=bar.within,
            )
        keep_gene_totals(
            model, self.training, Watched(self.tiles, "dusted, gene totals: tile", shown=progress), self.device
        )
        return model, state, time.perf_counter() - began

    def compare(self, model: Dusted, progress: bool = False) -> HeldOutComparison | None:
        """Score what was held out, from predictions on the training counts alone."""
        if self.held_out is None:
            return None
        tiles = Watched(self.tiles, "dusted, held-out counts: tile", shown=progress)
        blocks = means(model, self.training, tiles, self.device, posterior=self.params.posterior)
        expected = ((block.spots, block.expected) for block in blocks)
        ratio = self.params.holdout / (1 - self.params.holdout)
        return compare_held_out(expected, self.training, self.held_out, ratio)

    def training_latent(self, model: Dusted) -> np.ndarray | None:
        """Latent of the training counts, in a section that is trained on as one batch; None if none were held out."""
        if self.held_out is None or batch_size(self.training, self.params) is not None:
            return None
        return embed(model, self.training, self.tiles, self.device).latent

    def save(self, path: Path | None, model: Dusted, state: TrainingState) -> str | None:
        """Write a checkpoint, if one is wanted; give its SHA-256."""
        if path is None:
            return None
        return save_checkpoint(
            path,
            model=model,
            optimizer=self._optimizer,
            schedule=self._schedule,
            state=state,
            params=self.params,
            section=self.training,
        )


def _note(state: TrainingState) -> str:
    held_out = f" held-out {state.score[-1]:.5f}" if state.score else ""
    return f"loss {state.loss[-1]:.5f}{held_out}"


class _Checkpoints:
    """Keep a checkpoint whenever one is due."""

    def __init__(self, run: Run, path: Path, model: Dusted):
        self._run, self._path, self._model = run, path, model
        self._clock = CheckpointClock(every=run.params.checkpoint_every, minutes=run.params.checkpoint_minutes)

    def __call__(self, state: TrainingState) -> None:
        if self._clock.due(state.epoch):
            self._run.save(self._path, self._model, state)
            self._clock.restart(state.epoch)
