"""Progress of training and sampling: a bar on a terminal, a line every few per cent in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

from tqdm import tqdm

LINES_IN_A_LOG: Final = 20


class Progress:
    """Counts steps of one kind.

    Parameters
    ----------
    what
        What goes on.
    total
        Steps at most.
    start
        Steps that an earlier run has done.
    unit
        What a step is called.
    shown
        Off: silent.
    stream
        Where to; the standard error by default.
    """

    def __init__(
        self,
        what: str,
        total: int,
        start: int = 0,
        *,
        unit: str = "step",
        shown: bool = True,
        stream: TextIO | None = None,
    ):
        self._what, self._total, self._start, self._done, self._unit = what, total, start, start, unit
        self._stream = stream or sys.stderr
        self._shown = shown
        self._began = time.perf_counter()
        self._bar = None
        if shown and self._stream.isatty():
            self._bar = tqdm(total=total, initial=start, unit=unit, desc=what, file=self._stream, mininterval=0.5)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, note: str = "") -> None:
        """Take note of one step."""
        before = self._done * LINES_IN_A_LOG // self._total
        self._done += 1
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update()
        elif self._shown and (self._done == self._start + 1 or self._done * LINES_IN_A_LOG // self._total > before):
            share = 100 * self._done // self._total
            speed = (self._done - self._start) / max(time.perf_counter() - self._began, 1e-9)
            print(
                f"{self._what} {share:3d} %  {self._unit} {self._done}/{self._total}  {note}  "
                f"{speed:.2f} {self._unit}s/s  at most {(self._total - self._done) / speed:.0f} s left",
                file=self._stream,
                flush=True,
            )
