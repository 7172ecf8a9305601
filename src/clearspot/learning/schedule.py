"""Learning rates over the steps of training, by PyTorch's schedulers, whose state a checkpoint can hold."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    LinearLR,
    LRScheduler,
    SequentialLR,
)


def constant(optimizer: Optimizer) -> LRScheduler:
    """Keep the learning rates as they are.

    Parameters
    ----------
    optimizer
        With a peak learning rate in each group.
    """
    return ConstantLR(optimizer, factor=1.0, total_iters=0)


def warm_up_then_cosine(optimizer: Optimizer, steps: int, warm_up: int) -> LRScheduler:
    """Rise in a line to the peak, then fall to 0 along half a cosine.

    Parameters
    ----------
    optimizer
        With a peak learning rate in each group.
    steps
        Steps in all; the rate is 0 after the last.
    warm_up
        Steps of the rise, the first of which has ``1 / warm_up`` of the peak; 0: none.
    """
    cosine = CosineAnnealingLR(optimizer, max(1, steps - warm_up))
    return SequentialLR(optimizer, [_rise(optimizer, warm_up), cosine], [warm_up]) if warm_up else cosine


def warm_up_times_cosine(optimizer: Optimizer, steps: int, warm_up: int) -> LRScheduler:
    """Fall to 0 along half a cosine from the first step on, times a rise in a line.

    It falls to 0 also where the warm-up is longer than the training.

    Parameters
    ----------
    optimizer
        With a peak learning rate in each group.
    steps
        Steps in all; the rate is 0 after the last.
    warm_up
        Steps of the rise, the first of which has ``1 / warm_up`` of the peak; at least 1.
    """
    return ChainedScheduler([_rise(optimizer, warm_up), CosineAnnealingLR(optimizer, steps)], optimizer)


def _rise(optimizer: Optimizer, warm_up: int) -> LRScheduler:
    """From ``1 / warm_up`` at the first step to 1 at step number ``warm_up``."""
    return LinearLR(optimizer, start_factor=1 / warm_up, end_factor=1.0, total_iters=max(1, warm_up - 1))
