"""Training on one section, and on references where there are any: from spots to a model with its verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from clearspot.diffst.data.batches import Sampler
from clearspot.diffst.data.gene_graph import GeneGraph, correlation_graph
from clearspot.diffst.data.hidden_pairs import hidden_pairs
from clearspot.diffst.data.holdout import Split, split_spots
from clearspot.diffst.data.make_views import coarse_view, section_view
from clearspot.diffst.data.programs import Programs, fit_programs
from clearspot.diffst.data.reference import Reference
from clearspot.diffst.data.reference_view import reference_view
from clearspot.diffst.data.section import SpotSection
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.dispersion import dispersion
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.sampling import predict_mean, sample_residual
from clearspot.diffst.generate.verdict import Verdict
from clearspot.diffst.image.histology import Histology, no_image
from clearspot.diffst.networks.gene_loadings import gene_loadings
from clearspot.diffst.networks.mean_net import FLOOR, count_loss
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import check_same_run, load_checkpoint, model_of, save_checkpoint
from clearspot.diffst.training.ship_rule import MIN_SPOTS, Forecast, compare, scoring_window
from clearspot.diffst.training.stages import Judge, Phase, new_phase, train_diffusion, train_mean
from clearspot.errors import BadInputError
from clearspot.learning.progress import Progress
from clearspot.record import Message

_OWN_SHARE: Final = 0.7
"""Share of the training windows of stage 1 that come from the section itself where there are references."""

_DRAWS_TO_SCORE: Final = 8

_POWERS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Exponents of MeanNet's factor that are tried on held-out spots."""


def fit(
    section: SpotSection,
    histology: Histology | None,
    params: DiffstParams,
    device: torch.device,
    *,
    references: Mapping[str, Reference] | None = None,
    skip_bad_references: bool = False,
    checkpoint: Path | None = None,
    resume_from: Path | None = None,
    progress: bool = True,
) -> Fitted:
    """Train both stages on a section and score them on its held-out spots.

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
    references
        Samples of high resolution, by name: further views, with known bins.
    skip_bad_references
        Leave out references that do not fit the section, with a warning among its messages.
    checkpoint
        Where to keep the model, also while it trains.
    resume_from
        Checkpoint of a run on the same data and settings that was broken off.
    progress
        Show progress on the standard error.

    Raises
    ------
    CheckpointError
        If the checkpoint does not fit.
    BadInputError
        If a reference does not fit the section.
    """
    if histology is None or not params.image:
        histology = no_image(section.grid.shape)
    split = split_spots(section, params)
    totals = {name: float(one.counts.sum(dtype=np.float64)) for name, one in sorted((references or {}).items())}
    fingerprint = fingerprint_of(section, histology) | {"references": totals}
    resumed = None if resume_from is None else load_checkpoint(resume_from)
    if resumed is not None:
        check_same_run(resumed, params, fingerprint)
        model, programs, params = model_of(resumed, params)
    else:
        programs = fit_programs(section.counts, section.genes, params.n_programs, params.seed)
        torch.manual_seed(params.seed)
        model = DiffstModel(programs.number, histology.n_features, params)
    model = model.to(device)
    run = _Run(section, histology, params, device, model, programs, split, fingerprint, checkpoint, progress)
    return run.fit(references or {}, resumed, skip_bad_references=skip_bad_references)


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
    checkpoint: Path | None
    progress: bool
    phases: dict[str, Phase] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _saved: float = field(default_factory=time.monotonic)

    def fit(
        self, references: Mapping[str, Reference], resumed: dict[str, Any] | None, *, skip_bad_references: bool
    ) -> Fitted:
        section, params = self.section, self.params
        values = self.programs.transform(section.counts)
        own = section_view(
            section, values, self.histology, tissue_of(section), self.split.training, params.hide_patterns, params.seed
        )
        from_references = list(self._reference_views(references, skip_bad_references))
        known = [*from_references]
        if (coarse := coarse_view(section, own, values, params.seed)) is not None:
            known.append(coarse)
        for name in ("mean", "diffusion"):
            if name == "mean" or (self.model.denoiser is not None and known):
                self.phases[name] = new_phase(name, self.model, params)
                if resumed is not None and name in resumed["phases"]:
                    self.phases[name].restore(resumed["phases"][name])
        self._train_mean([own, *from_references])
        verdict = None
        if "diffusion" in self.phases:
            self._train_diffusion(known)
            verdict = self._verdict(own)
        losses = {name: phase.loss for name, phase in self.phases.items()}
        learned = tuple(view.name for view in from_references)
        fitted = Fitted(self.model, self.programs, params, verdict, losses, self.seconds, references=learned)
        fitted.checkpoint_sha256 = self._save(
            {"verdict": None if verdict is None else verdict.as_dict(), "losses": losses, "seconds": self.seconds}
        )
        return fitted

    def _reference_views(self, references: Mapping[str, Reference], skip_bad: bool) -> Iterator[View]:
        channels, seed = self.model.image_channels, self.params.seed
        for name, one in sorted(references.items()):
            try:
                yield reference_view(name, one, self.section, self.programs, channels, seed)
            except BadInputError as error:
                if not skip_bad:
                    raise
                why = "; ".join(f"{problem.found}, expected {problem.expected}" for problem in error.problems)
                self.section.messages.append(Message("warning", f"The reference {name} was left out: {why}."))

    def _train_mean(self, views: list[View]) -> None:
        began = time.perf_counter()
        phase, params = self.phases["mean"], self.params
        graph = correlation_graph(self.section.counts[self.split.training], params.gene_neighbours, params.seed)
        others = len(views) - 1
        shares = [_OWN_SHARE, *[(1 - _OWN_SHARE) / others] * others] if others else [1.0]
        sampler = Sampler(views, shares, params, self.device)
        loadings = torch.from_numpy(self.programs.loadings).to(self.device)
        with Progress("mean", phase.steps, phase.step, shown=self.progress) as shown:
            phi = None
            if params.likelihood == "nb":
                found = dispersion(*hidden_pairs(views[0], self.section.counts, self.programs.loadings))
                phi = torch.from_numpy(found.astype(np.float32))
            judge = self._judge(views[0], graph, phi)
            phi = None if phi is None else phi.to(self.device)
            train_mean(phase, self.model, sampler, loadings, graph, params, self._after_step(shown), judge, phi)
        self.seconds["mean"] = time.perf_counter() - began

    def _train_diffusion(self, views: list[View]) -> None:
        began = time.perf_counter()
        phase = self.phases["diffusion"]
        means = [
            [predict_mean(self.model, view, shown, self.params, self.device) for shown in view.conditions]
            for view in views
        ]
        self.model.residual_sd.copy_(torch.from_numpy(_residual_sd(views, means)))
        sampler = Sampler(views, [1.0] * len(views), self.params, self.device, means)
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
                        self.model, view, shown, mean, number, f"{view.name}/score", self.params, self.device
                    )
                )
                bar.step()
        loadings = gene_loadings(self.model, self.programs, self.section, self.params, self.device, self.split.training)
        sd = self.model.residual_sd.cpu().numpy()
        counts = self.section.counts
        pairs = hidden_pairs(own, counts, loadings)
        verdict = compare(Forecast(view, loadings, mean, draws, sd), self.split, counts, pairs, seed=self.params.seed)
        self.seconds["scoring"] = time.perf_counter() - began
        return verdict

    def _after_step(self, shown: Progress) -> Any:
        def after(phase: Phase) -> None:
            shown.step(f"loss {phase.loss[-1]:.4f}")
            minutes = self.params.checkpoint_minutes
            if minutes is not None and time.monotonic() - self._saved >= 60 * minutes:
                self._save({})
                self._saved = time.monotonic()

        return after

    def _save(self, results: dict[str, Any]) -> str | None:
        if self.checkpoint is None:
            return None
        return save_checkpoint(
            self.checkpoint,
            model=self.model,
            programs=self.programs,
            params=self.params,
            image_channels=self.model.image_channels,
            phases=self.phases,
            fingerprint=self.fingerprint,
            results=results,
        )


def _residual_sd(views: Sequence[View], means: Sequence[Sequence[NDArray[np.float32]]]) -> NDArray[np.float32]:
    """Root mean square of each program's residual in square-root space, over tissue."""
    total: NDArray[np.float64] | float = 0.0
    number = 0
    for view, of_view in zip(views, means, strict=True):
        if view.truth is None:
            continue
        truth = np.sqrt(view.truth[:, view.tissue].astype(np.float32))
        for mean in of_view:
            residual = truth - np.sqrt(mean[:, view.tissue])
            total = total + (residual.astype(np.float64) ** 2).sum(axis=1)
            number += residual.shape[1]
    return np.maximum(np.sqrt(total / max(number, 1)), 1e-3).astype(np.float32)
