"""Training of both stages, step by step, so that a run that was killed goes on where its checkpoint stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from clearspot.diffst.data.batches import Batch, Sampler
from clearspot.diffst.data.gene_graph import GeneGraph
from clearspot.diffst.networks.mean_net import bins_loss, captured, count_loss
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.networks.residual_diffusion import diffusion_loss, new_scheduler
from clearspot.diffst.params import DiffstParams
from clearspot.extras import extra
from clearspot.learning.device import resolve_precision
from clearspot.learning.divergence import require_finite
from clearspot.learning.schedule import warm_up_times_cosine
from clearspot.nn.cross_attention import visible_fraction
from clearspot.nn.optimizer import AdamW

with extra("superres"):
    from diffusers.training_utils import EMAModel

_WARM_UP: Final = 20
_CLIP_NORM: Final = 1.0
_WEIGHT_DECAY: Final = 1e-4
_CHECKS: Final = 8
_PATIENCE: Final = 3

Judge = Callable[[], dict[float, float]]
"""Scores the model as it stands on spots that it does not learn from, by exponent of its factor; lower is better."""


@dataclass
class Phase:
    """Where the training of one network stands.

    Parameters
    ----------
    name
        ``mean`` or ``diffusion``.
    steps
        Steps in all.
    modules
        What is trained.
    lr
        Peak learning rate.
    ema_decay
        Of the moving average.
    """

    name: str
    steps: int
    modules: nn.ModuleList
    lr: float
    ema_decay: float
    step: int = 0
    loss: list[float] = field(default_factory=list)
    best: dict[str, Any] | None = None
    checks_since_best: int = 0

    def __post_init__(self) -> None:
        self.optimizer = AdamW(self.modules.parameters(), lr=self.lr, weight_decay=_WEIGHT_DECAY)
        self.schedule = warm_up_times_cosine(self.optimizer, self.steps, _WARM_UP)
        self.ema = EMAModel(self.modules.parameters(), decay=self.ema_decay, use_ema_warmup=True, power=0.75)

    @property
    def finished(self) -> bool:
        """Whether all steps are done, or further ones would only overfit."""
        return self.step >= self.steps or self.checks_since_best >= _PATIENCE

    @property
    def to_check(self) -> bool:
        """Whether the model is to be scored after this step."""
        return self.step % max(1, self.steps // _CHECKS) == 0 or self.step == self.steps

    def check(self, judge: Judge) -> None:
        """Score the moving average, and keep it if it is the best so far."""
        self.ema.store(self.modules.parameters())
        self.ema.copy_to(self.modules.parameters())
        self.modules.eval()
        scores = judge()
        power = min(scores, key=scores.__getitem__)
        if self.best is None or scores[power] < self.best["score"]:
            weights = {name: value.detach().clone() for name, value in self.modules.state_dict().items()}
            self.best = {"score": scores[power], "power": power, "step": self.step, "weights": weights}
            self.checks_since_best = 0
        else:
            self.checks_since_best += 1
        self.ema.restore(self.modules.parameters())
        self.modules.train()

    def update(self, loss: Tensor) -> None:
        """Take one step down the gradient.

        Raises
        ------
        TrainingDivergedError
            If the loss is not finite.
        """
        value = float(loss.detach())
        require_finite(value, f"step {self.step + 1} of the {self.name} network")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.modules.parameters(), _CLIP_NORM)
        self.optimizer.step()
        self.schedule.step()
        self.ema.step(self.modules.parameters())
        self.loss.append(value)
        self.step += 1

    def use_average(self) -> None:
        """Put the best moving average in the place of the weights, or the last where none was scored."""
        self.ema.copy_to(self.modules.parameters())
        if self.best is not None:
            self.modules.load_state_dict(self.best["weights"])
        self.modules.eval()

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "step": self.step,
            "loss": self.loss,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "ema": self.ema.state_dict(),
            "weights": self.modules.state_dict(),
            "best": self.best,
            "checks_since_best": self.checks_since_best,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what :meth:`state` gave."""
        self.step, self.loss = state["step"], list(state["loss"])
        self.modules.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.ema.load_state_dict(state["ema"])
        self.best, self.checks_since_best = state["best"], state["checks_since_best"]


def new_phase(name: str, model: DiffstModel, params: DiffstParams, steps: int | None = None) -> Phase:
    """Phase ``mean`` (MeanNet and gene graph network) or ``diffusion`` (denoiser), of so many steps."""
    parts: Sequence[nn.Module | None] = (model.mean, model.genes) if name == "mean" else (model.denoiser,)
    if steps is None:
        steps = params.steps_mean if name == "mean" else params.steps_diffusion
    modules = nn.ModuleList(part for part in parts if part is not None)
    return Phase(name, steps, modules, params.lr, params.ema_decay)


def train_mean(
    phase: Phase,
    model: DiffstModel,
    sampler: Sampler,
    params: DiffstParams,
    *,
    loadings: Tensor,
    graph: GeneGraph | None,
    after_step: Callable[[Phase], None],
    judge: Judge | None = None,
    phi: Tensor | None = None,
    gene_weight: Tensor | None = None,
) -> None:
    """Train stage 1 to its end; the model then holds the moving average that was best on held-out spots.

    Parameters
    ----------
    phase
        Where it stands.
    model
        The model.
    sampler
        Gives the batch of a step.
    params
        Settings.
    loadings, graph
        Of the genes whose counts are in the batches.
    after_step
        Called after each step: progress, checkpoints.
    judge
        Scores it a few times on the way; training ends when that gets no better. None: the last average is kept.
    phi
        ``(genes,)``: dispersion, for the negative binomial likelihood; None: Poisson.
    gene_weight
        ``(genes,)``: of each gene in the loss of bins; None: all the same.
    """
    device = loadings.device
    low = resolve_precision(params.precision, device)
    weights = torch.ones(loadings.shape[1], device=device) if gene_weight is None else gene_weight
    phase.modules.train()
    if judge is not None and phase.best is None:
        phase.check(judge)
    while not phase.finished:
        batch = sampler.batch(phase.name, phase.step, visible_fraction(phase.step, _curriculum(phase, params)))
        with torch.autocast(device.type, low, enabled=low != torch.float32):
            rates, disentangling = model.mean.rates(batch.inputs)
        corrected, of_genes, of_phi = model.gene_loadings(loadings, graph), weights, phi
        if batch.genes is not None:
            corrected, of_genes = corrected[:, batch.genes], weights[batch.genes]
            of_phi = None if phi is None else phi[batch.genes]
        losses = [
            _mean_loss(batch, number, programs[number], corrected, of_phi, of_genes)
            for programs in map(batch.turned_back, rates)
            for number in range(len(programs))
        ]
        phase.update(torch.stack(losses).mean() + params.disentangle_weight * disentangling)
        if judge is not None and phase.to_check:
            phase.check(judge)
        after_step(phase)
    phase.use_average()
    if phase.best is not None:
        model.mean.power.fill_(phase.best["power"])


def train_diffusion(
    phase: Phase, model: DiffstModel, sampler: Sampler, params: DiffstParams, after_step: Callable[[Phase], None]
) -> None:
    """Train stage 2 to its end on views whose bins are known; the model then holds the moving average."""
    if model.denoiser is None:
        raise ValueError("the model has no denoiser")
    scheduler = new_scheduler(params.sigma_min, params.sigma_max)
    phase.modules.train()
    scale = model.residual_sd.view(1, -1, 1, 1)
    device = scale.device
    low = resolve_precision(params.precision, device)
    while not phase.finished:
        batch = sampler.batch(phase.name, phase.step, visible_fraction(phase.step, _curriculum(phase, params)))
        sqrt_mean = batch.mean.sqrt()
        residual = (batch.truth.sqrt() - sqrt_mean) / scale
        generator = torch.Generator().manual_seed(
            int(np.random.default_rng([params.seed, 2, phase.step]).integers(2**62))
        )
        with torch.autocast(device.type, low, enabled=low != torch.float32):
            loss, disentangling = diffusion_loss(
                model.denoiser,
                scheduler,
                residual,
                sqrt_mean=sqrt_mean,
                weight=batch.known,
                inputs=batch.inputs,
                generator=generator,
            )
        phase.update(loss + params.disentangle_weight * disentangling)
        after_step(phase)
    phase.use_average()


def _curriculum(phase: Phase, params: DiffstParams) -> int:
    return int(params.curriculum * phase.steps)


def _mean_loss(
    batch: Batch,
    number: int,
    programs: Tensor,
    loadings: Tensor,
    phi: Tensor | None,
    gene_weight: Tensor,
) -> Tensor:
    """Loss of one window: on the bins where they are known, else on the spots through the capture operator."""
    window = batch.windows[number]
    if window.fine is not None:
        rate = (programs * window.scale[:, None, None]).flatten(1).T @ loadings
        return bins_loss(rate, window.fine, window.known.flatten(), gene_weight)
    if window.counts is None or not len(window.counts):
        return programs.sum() * 0
    rate = captured(programs * window.scale[:, None, None], window.spot, window.bins, window.area, len(window.counts))
    return count_loss(rate @ loadings, window.counts, window.weight, phi)
