"""Progress of training and sampling: a bar on a terminal, a line every few per cent in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self, TextIO

from tqdm import tqdm

LINES_IN_A_LOG: Final = 10


class Progress:
    """Counts steps of one kind.

    Parameters
    ----------
    what
        What is counted.
    total
        Steps in all.
    start
        Steps that an earlier run has done.
    shown
        Off: silent.
    stream
        Where to; the standard error by default.
    """

    def __init__(self, what: str, total: int, start: int = 0, *, shown: bool = True, stream: TextIO | None = None):
        self._what, self._total, self._start, self._done = what, total, start, start
        self._stream = stream or sys.stderr
        self._shown = shown
        self._began = time.perf_counter()
        self._bar = None
        if shown and self._stream.isatty():
            self._bar = tqdm(total=total, initial=start, desc=f"diffst {what}", file=self._stream, mininterval=0.5)

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
        elif self._shown and self._done * LINES_IN_A_LOG // self._total > before:
            seconds = time.perf_counter() - self._began
            left = seconds / (self._done - self._start) * (self._total - self._done)
            print(
                f"diffst {self._what} {100 * self._done // self._total:3d} %  {self._done}/{self._total}  {note}  "
                f"{left:.0f} s left",
                file=self._stream,
                flush=True,
            )
