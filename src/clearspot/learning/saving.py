"""When a checkpoint is due while a model trains."""

from __future__ import annotations

import time


class CheckpointClock:
    """Says when to keep a checkpoint: every few steps or minutes, whichever comes first.

    Parameters
    ----------
    every
        Steps between checkpoints; None: not by steps.
    minutes
        Minutes between checkpoints; None: not by time.
    """

    def __init__(self, *, every: int | None = None, minutes: float | None = None):
        self._every, self._minutes = every, minutes
        self.restart(0)

    def due(self, step: int) -> bool:
        """Whether to keep one after this many steps."""
        by_steps = self._every is not None and step - self._step >= self._every
        return by_steps or (self._minutes is not None and time.monotonic() - self._time >= 60 * self._minutes)

    def restart(self, step: int) -> None:
        """Count from here: a checkpoint was just written."""
        self._step, self._time = step, time.monotonic()
