"""The training loop: one optimiser step at a time, the best state really kept, exactly resumable."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from clearspot.dusted.batches import Batches
from clearspot.dusted.model import Dusted
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.learning.divergence import require_finite
from clearspot.learning.schedule import constant, warm_up_then_cosine
from clearspot.nn.optimizer import Adam


@dataclass
class TrainingState:
    """Where a training run stands; with model and optimiser, all that resuming needs.

    Parameters
    ----------
    epoch
        Epochs completed.
    loss, score, lr
        Of every epoch: loss before the epoch's step, held-out score of the same state (empty without ``holdout``),
        learning rate of the step.
    best_value, best_epoch
        Lowest monitored value and the epoch it was measured in.
    best_state
        Copy of the parameters that gave it.
    """

    epoch: int = 0
    loss: list[float] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    best_value: float = math.inf
    best_epoch: int = -1
    best_state: dict[str, Tensor] = field(default_factory=dict)

    def keep_if_best(self, value: float, model: Dusted) -> None:
        """Copy the parameters if ``value`` is the lowest so far; into the same memory every time."""
        if not value < self.best_value:
            return
        self.best_value, self.best_epoch = value, self.epoch
        for name, tensor in model.state_dict().items():
            if name in self.best_state:
                self.best_state[name].copy_(tensor)
            else:
                self.best_state[name] = tensor.detach().clone()

    def finished(self, params: DustedParams) -> bool:
        """Whether all epochs are done or patience has run out."""
        if self.epoch >= params.epochs:
            return True
        return params.patience is not None and self.epoch - 1 - self.best_epoch >= params.patience


def new_optimizer(model: Dusted, params: DustedParams) -> torch.optim.Adam:
    """Adam in its fused form, every parameter once; intercepts do not decay: a gene's mean is no complexity.

    The first group has the learning rate of the settings, those of the others are relative to it.
    """
    intercepts = [] if model.heads.biases is None else list(model.heads.biases)
    gates = [] if model.gene_attention is None else list(model.gene_attention.parameters())
    first = [model.encoder_outer, *gates]
    attention = [*model.scores_outer.parameters(), *model.scores_inner.parameters()]
    known = {id(parameter) for parameter in (*intercepts, *first, *attention)}
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in model.parameters() if id(parameter) not in known]},
        {"params": first, "lr": params.lr * params.first_layer_lr},
        {"params": attention, "lr": params.lr * params.attention_lr},
    ]
    if intercepts:
        groups.append({"params": intercepts, "weight_decay": 0.0})
    return Adam(groups, lr=params.lr, weight_decay=params.weight_decay, fused=True)


def new_schedule(optimizer: torch.optim.Optimizer, params: DustedParams) -> LRScheduler:
    """Learning rates over the epochs: constant, or a linear warm-up and a cosine down to 0."""
    if params.schedule == "constant":
        return constant(optimizer)
    return warm_up_then_cosine(optimizer, params.epochs, params.warmup_epochs)


def train(
    model: Dusted,
    optimizer: torch.optim.Optimizer,
    schedule: LRScheduler,
    objective: Objective | Batches,
    params: DustedParams,
    *,
    state: TrainingState | None = None,
    after_epoch: Iterable[Callable[[TrainingState], Any]] = (),
    within_epoch: Callable[[str], None] = lambda _: None,
) -> TrainingState:
    """Train until the epochs are done or patience has run out, then restore the best state.

    Parameters
    ----------
    model, optimizer, schedule
        As they stand at ``state.epoch``.
    objective
        Loss and gradient.
    params
        Settings.
    state
        Where an earlier run stopped; ``None`` starts.
    after_epoch
        Called with the state after each epoch: progress, checkpoints.
    within_epoch
        Called with how far the epoch is, after each step and each tile.

    Returns
    -------
    The final state; the model holds the best parameters.

    Raises
    ------
    TrainingDivergedError
        If the loss stops being a finite number.
    """
    state = state or TrainingState()
    callbacks = tuple(after_epoch)
    model.train()
    while not state.finished(params):
        loss, score = _one_epoch(model, optimizer, objective, params, state, within_epoch)
        require_finite(loss, f"epoch {state.epoch + 1}")
        state.loss.append(loss)
        state.lr.append(float(optimizer.param_groups[0]["lr"]))
        if objective.held_out is not None:
            state.score.append(score)
        state.epoch += 1
        schedule.step()
        for callback in callbacks:
            callback(state)
    model.load_state_dict(state.best_state)
    model.eval()
    return state


def _one_epoch(
    model: Dusted,
    optimizer: torch.optim.Optimizer,
    objective: Objective | Batches,
    params: DustedParams,
    state: TrainingState,
    tell: Callable[[str], None],
) -> tuple[float, float]:
    """Take the steps of an epoch; the best state is one whose score was measured before a step left it."""
    optimizer.zero_grad(set_to_none=False)
    score = None
    if isinstance(objective, Batches) and objective.held_out is not None:
        score = objective.score(model)
        state.keep_if_best(score, model)
    losses: list[float] = []
    for part in objective.steps(state.epoch):
        shares = []
        for number in range(len(part.tiles)):
            shares.append(part.backward(model, number))
            tell(f"step {len(losses) + 1}/{objective.steps_per_epoch}, tile {number + 1}/{len(part.tiles)}")
        losses.append(sum(loss for loss, _ in shares))
        if part is objective:
            score = sum(held_out for _, held_out in shares)
            state.keep_if_best(losses[0] if part.held_out is None else score, model)
        _step(model, optimizer, params)
    loss = sum(losses) / len(losses)
    if score is None:
        state.keep_if_best(loss, model)
    return loss, score or 0.0


def _step(model: Dusted, optimizer: torch.optim.Optimizer, params: DustedParams) -> None:
    torch.nn.utils.clip_grad_norm_(model.parameters(), params.clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
