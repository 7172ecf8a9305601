"""Training that has run away."""

from __future__ import annotations

import math


class TrainingDivergedError(RuntimeError):
    """The loss is no longer a number."""


def require_finite(loss: float, where: str) -> None:
    """Stop where the loss is no longer a number.

    Parameters
    ----------
    loss
        Its value.
    where
        ``epoch 3``, or ``step 7 of the mean network``, for the message.

    Raises
    ------
    TrainingDivergedError
        If it is infinite or not a number.
    """
    if not math.isfinite(loss):
        raise TrainingDivergedError(f"the loss became {loss} in {where}: decrease the learning rate")
