"""Training progress: a bar on a terminal, a line every few per cent in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from tqdm import tqdm

from clearspot.dusted.training import TrainingState

LINES_IN_A_LOG = 20


class Progress:
    """Shows epochs, loss and speed.

    Parameters
    ----------
    epochs
        Epochs at most.
    start
        Epochs that an earlier run has done.
    stream
        Where to; the standard error by default.
    """

    def __init__(self, epochs: int, start: int = 0, stream: TextIO | None = None):
        self.epochs = epochs
        self._start = start
        self._stream = stream or sys.stderr
        self._began = time.perf_counter()
        self._shown = start * LINES_IN_A_LOG // epochs
        self._bar = None
        if self._stream.isatty():
            self._bar = tqdm(
                total=epochs, initial=start, unit="epoch", desc="dusted", file=self._stream, mininterval=0.5
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, state: TrainingState) -> None:
        """Take note of an epoch."""
        held_out = f" held-out {state.score[-1]:.5f}" if state.score else ""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {state.loss[-1]:.5f}{held_out}", refresh=False)
            self._bar.update()
            return
        part = state.epoch * LINES_IN_A_LOG // self.epochs
        if part == self._shown and state.epoch > self._start + 1:
            return
        self._shown = part
        speed = (state.epoch - self._start) / max(time.perf_counter() - self._began, 1e-9)
        print(
            f"dusted {100 * state.epoch // self.epochs:3d} %  epoch {state.epoch}/{self.epochs}  "
            f"loss {state.loss[-1]:.5f}{held_out}  {speed:.2f} epochs/s  "
            f"at most {(self.epochs - state.epoch) / speed:.0f} s left",
            file=self._stream,
            flush=True,
        )
