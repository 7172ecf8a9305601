"""Training on one section, alone or from a model that knows more: from spots to a model with its verdict."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from clearspot.diffst.data.batches import Sampler
from clearspot.diffst.data.gene_graph import GeneGraph, correlation_graph
from clearspot.diffst.data.hidden_pairs import hidden_pairs
from clearspot.diffst.data.holdout import Split, split_spots
from clearspot.diffst.data.make_views import coarse_view, section_view
from clearspot.diffst.data.programs import Programs, fit_programs
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.dispersion import dispersion
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.sampling import predict_mean, sample_residual
from clearspot.diffst.generate.verdict import Verdict
from clearspot.diffst.image.histology import FEATURES, Histology, no_image
from clearspot.diffst.networks.gene_loadings import gene_loadings
from clearspot.diffst.networks.mean_net import FLOOR, count_loss
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import check_same_run, load_checkpoint, model_of, save_checkpoint
from clearspot.diffst.training.model_card import check_fits
from clearspot.diffst.training.ship_rule import MIN_SPOTS, Forecast, compare, scoring_window
from clearspot.diffst.training.stages import Judge, Phase, new_phase, train_diffusion, train_mean
from clearspot.diffst.training.targets import residual_sd, targets_of
from clearspot.learning.checkpoint_file import file_sha256
from clearspot.learning.progress import Progress
from clearspot.learning.saving import CheckpointClock

_DRAWS_TO_SCORE: Final = 8

_POWERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Exponents of MeanNet's factor that are tried on held-out spots."""


def fit(
    section: SpotSection,
    histology: Histology | None,
    params: DiffstParams,
    device: torch.device,
    *,
    start_from: Path | None = None,
    checkpoint: Path | None = None,
    resume_from: Path | None = None,
    progress: bool = True,
) -> Fitted:
    """Train on a section, alone or from a model that learned from references, and score it on held-out spots.

    Alone, both stages learn from the section's own spots. From a model, stage 1 goes on with these for as long as
    held-out spots gain from it, and stage 2 stays as it is.

    Parameters
    ----------
    section
        Spots and grid.
    histology
        Features on its grid; None: no image.
    params
        Settings.
    device
        Where the networks run.
    start_from
        Model of :func:`clearspot.diffst.training.pretrain.pretrain`.
    checkpoint
        Where to keep the model, also while it trains.
    resume_from
        Checkpoint of a run on the same data and settings that was broken off.
    progress
        Show progress on the standard error.

    Raises
    ------
    CheckpointError
        If a checkpoint does not fit.
    """
    start = None if start_from is None else load_checkpoint(start_from)
    if histology is None or not params.image:
        sizes = {"image_channels": len(FEATURES), "pixels_per_bin": 0} if start is None else start["sizes"]
        histology = no_image(section.grid.shape, sizes["image_channels"], sizes["pixels_per_bin"])
    split = split_spots(section, params)
    started = None if start_from is None else file_sha256(start_from)
    fingerprint = fingerprint_of(section, histology) | {"started_from": started}
    resumed = None if resume_from is None else load_checkpoint(resume_from)
    card: dict[str, Any] = {}
    if start is not None:
        card = start["card"]
        check_fits(card, start, section, histology)
    if resumed is not None:
        check_same_run(resumed, params, fingerprint)
        model, programs, params = model_of(resumed, params)
    elif start is not None:
        model, programs, params = model_of(start, params)
        programs = programs.for_genes(section.genes, section.counts).with_totals_of(section.counts)
    else:
        programs = fit_programs(section.counts, section.genes, params.n_programs, params.seed)
        torch.manual_seed(params.seed)
        model = DiffstModel(programs.number, histology.n_features, params, image_encoder=histology.encoder)
    model = model.to(device)
    run = _Run(section, histology, params, device, model, programs, split, fingerprint, card, checkpoint, progress)
    return run.fit(resumed)


def fingerprint_of(section: SpotSection, histology: Histology) -> dict[str, Any]:
    """Enough about the data to notice others."""
    return {
        "spots": len(section.rows),
        "genes": len(section.genes),
        "counts": float(section.counts.sum(dtype=np.float64)),
        "shape": list(section.grid.shape),
        "image": float(histology.fine.sum(dtype=np.float64)),
    }


@dataclass
class _Run:
    section: SpotSection
    histology: Histology
    params: DiffstParams
    device: torch.device
    model: DiffstModel
    programs: Programs
    split: Split
    fingerprint: dict[str, Any]
    card: dict[str, Any]
    checkpoint: Path | None
    progress: bool
    phases: dict[str, Phase] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._clock = CheckpointClock(minutes=self.params.checkpoint_minutes)

    def fit(self, resumed: dict[str, Any] | None) -> Fitted:
        section, params = self.section, self.params
        values = self.programs.transform(section.counts)
        own = section_view(
            section,
            values,
            self.histology,
            tissue=tissue_of(section),
            training=self.split.training,
            n_patterns=params.hide_patterns,
            seed=params.seed,
            paired=bool(self.model.mean.paired),
        )
        coarse = None if self.card else coarse_view(section, own, values, params.seed)
        self.phases["mean"] = self._phase("mean", resumed)
        self._train_mean(own)
        if self.model.denoiser is not None and coarse is not None:
            self.phases["diffusion"] = self._phase("diffusion", resumed)
            self._train_diffusion([coarse])
        learned = self.card or coarse is not None
        verdict = self._verdict(own) if self.model.denoiser is not None and learned else None
        losses = {name: phase.loss for name, phase in self.phases.items()}
        names = tuple(one["name"] for one in self.card.get("references", ()))
        fitted = Fitted(self.model, self.programs, params, verdict, losses, self.seconds, references=names)
        fitted.checkpoint_sha256 = self._save(
            {"verdict": None if verdict is None else verdict.as_dict(), "losses": losses, "seconds": self.seconds}
        )
        return fitted

    def _phase(self, name: str, resumed: dict[str, Any] | None) -> Phase:
        params = self.params
        phase = new_phase(name, self.model, params)
        if self.card:
            phase = new_phase(name, self.model, replace(params, lr=params.lr_adapt), params.steps_adapt)
        if resumed is not None and name in resumed["phases"]:
            phase.restore(resumed["phases"][name])
        return phase

    def _train_mean(self, own: View) -> None:
        began = time.perf_counter()
        phase, params = self.phases["mean"], self.params
        graph = correlation_graph(self.section.counts[self.split.training], params.gene_neighbours, params.seed)
        sampler = Sampler([own], [1.0], replace(params, stain_jitter=0.0), self.device)  # one slide has one stain
        loadings = torch.from_numpy(self.programs.loadings).to(self.device)
        with Progress("mean", phase.steps, phase.step, shown=self.progress) as shown:
            phi = None
            if params.likelihood == "nb":
                found = dispersion(*hidden_pairs(own, self.section.counts, self.programs.loadings))
                phi = torch.from_numpy(found.astype(np.float32))
            judge = self._judge(own, graph, phi)
            phi = None if phi is None else phi.to(self.device)
            train_mean(
                phase,
                self.model,
                sampler,
                params,
                loadings=loadings,
                graph=graph,
                after_step=self._after_step(shown),
                judge=judge,
                phi=phi,
            )
        self.seconds["mean"] = time.perf_counter() - began

    def _train_diffusion(self, views: list[View]) -> None:
        began = time.perf_counter()
        phase = self.phases["diffusion"]
        means = [
            [predict_mean(self.model, view, shown, self.params, self.device) for shown in view.conditions]
            for view in views
        ]
        targets = targets_of(views, means, self.programs.loadings, self.params.seed)
        self.model.residual_sd.copy_(torch.from_numpy(residual_sd(views, targets)))
        sampler = Sampler(views, [1.0] * len(views), self.params, self.device, targets)
        with Progress("diffusion", phase.steps, phase.step, shown=self.progress) as shown:
            train_diffusion(phase, self.model, sampler, self.params, self._after_step(shown))
        self.seconds["diffusion"] = time.perf_counter() - began

    def _judge(self, own: View, graph: GeneGraph, phi: torch.Tensor | None) -> Judge | None:
        """Loss of the spots that choose, of every power; None where there are too few."""
        spots = np.flatnonzero(self.split.choosing & (own.extents[:, 0] >= 0))
        if len(spots) < MIN_SPOTS:
            return None
        operator, shown = own.operator[spots], own.conditions[0]
        counts = torch.from_numpy(self.section.counts[spots].toarray())
        plain = shown.base.astype(np.float32) + FLOOR
        loadings = torch.from_numpy(self.programs.loadings)

        @torch.no_grad()
        def judge() -> dict[float, float]:
            corrected = self.model.gene_loadings(loadings.to(self.device), graph).cpu()
            factor = predict_mean(self.model, own, shown, self.params, self.device) / plain
            scores = {}
            for power in _POWERS:
                amounts = (plain * factor**power * own.scale[:, None, None]).reshape(len(plain), -1).T
                rate = torch.from_numpy(np.asarray(operator @ amounts, dtype=np.float32)) @ corrected
                scores[power] = float(count_loss(rate, counts, torch.ones(len(spots)), phi))
            return scores

        return judge

    def _verdict(self, own: View) -> Verdict | None:
        began = time.perf_counter()
        held_out = ~self.split.training
        if not held_out.any():
            return None
        view = own.cut(scoring_window(own, held_out))
        shown = view.conditions[0]
        mean = predict_mean(self.model, view, shown, self.params, self.device)
        draws = []
        with Progress("scoring", _DRAWS_TO_SCORE, shown=self.progress) as bar:
            for number in range(min(_DRAWS_TO_SCORE, self.params.samples)):
                draws.append(
                    sample_residual(
                        self.model,
                        view,
                        shown,
                        mean,
                        number=number,
                        sample=f"{view.name}/score",
                        params=self.params,
                        device=self.device,
                    )
                )
                bar.step()
        loadings = gene_loadings(self.model, self.programs, self.section, self.params, self.split.training)
        sd = self.model.residual_sd.cpu().numpy()
        counts = self.section.counts
        pairs = hidden_pairs(own, counts, loadings)
        verdict = compare(Forecast(view, loadings, mean, draws, sd), self.split, counts, pairs, seed=self.params.seed)
        self.seconds["scoring"] = time.perf_counter() - began
        return verdict

    def _after_step(self, shown: Progress) -> Any:
        def after(phase: Phase) -> None:
            shown.step(f"loss {phase.loss[-1]:.4f}")
            if self._clock.due(phase.step):
                self._save({})
                self._clock.restart(phase.step)

        return after

    def _save(self, results: dict[str, Any]) -> str | None:
        if self.checkpoint is None:
            return None
        return save_checkpoint(
            self.checkpoint,
            model=self.model,
            programs=self.programs,
            params=self.params,
            phases=self.phases,
            fingerprint=self.fingerprint,
            results=results,
            card=self.card,
        )
