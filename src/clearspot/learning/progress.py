"""Progress of training and sampling: a bar for who waits for it, a line every few percent in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Final, Self, TextIO
from warnings import catch_warnings, simplefilter

from clearspot.caller import current_caller

LINES_IN_A_LOG: Final = 20


def _plain() -> Any:
    from tqdm import tqdm

    return tqdm


def _jupyter_or_plain() -> Any:
    """Jupyter's bar where it can be drawn, else a plain one."""
    with catch_warnings():
        simplefilter("ignore")  # that Jupyter's widgets are not installed: the plain bar does
        from tqdm.auto import tqdm

    return tqdm


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
        Where to; the standard error by default. A call from Python has a bar there, in a notebook that of Jupyter; a
        script has one on a terminal, and lines in a log.
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
        waited_for = stream is None and current_caller() == "python"
        if shown and (waited_for or self._stream.isatty()):
            bar = _jupyter_or_plain() if stream is None else _plain()
            self._bar = bar(total=total, initial=start, unit=unit, desc=what, file=stream, mininterval=0.5)

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
