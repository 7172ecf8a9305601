"""Progress of training and sampling: a bar for who waits for it; in a log a line every few percent and every minute."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Iterator
from types import TracebackType
from typing import Any, Final, Generic, Self, TextIO, TypeVar
from warnings import catch_warnings, simplefilter

from clearspot.caller import current_caller

Item = TypeVar("Item")

LINES_IN_A_LOG: Final = 20

SECONDS_BETWEEN_LINES: Final = 60.0
"""Where a step takes long, a line comes this often at least."""


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
        self._began = self._told = time.perf_counter()
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
            return
        speed = (self._done - self._start) / max(time.perf_counter() - self._began, 1e-9)
        left = f"{speed:.2g} {self._unit}s/s  at most {(self._total - self._done) / speed:.0f} s left"
        if self._done == self._start + 1 or self._done * LINES_IN_A_LOG // self._total > before:
            self._print(f"{self._unit} {self._done}/{self._total}  {note}  {left}")
        else:
            self._print_if_due(f"{self._unit} {self._done}/{self._total}  {note}  {left}")

    def within(self, note: str) -> None:
        """Say how far the step at work is, if nothing has been said for a minute."""
        if self._bar is not None:
            self._bar.set_postfix_str(note)
        else:
            self._print_if_due(f"{self._unit} {self._done + 1}/{self._total}  {note}")

    def _print_if_due(self, text: str) -> None:
        if time.perf_counter() - self._told >= SECONDS_BETWEEN_LINES:
            self._print(text)

    def _print(self, text: str) -> None:
        if self._shown:
            self._told = time.perf_counter()
            print(f"{self._what} {100 * self._done // self._total:3d} %  {text}", file=self._stream, flush=True)


class Watched(Generic[Item]):
    """Items of a loop that may take minutes: once a minute a line says how far it is.

    Parameters
    ----------
    items
        What the loop goes through, in order.
    what
        What it does.
    shown
        Off: silent.
    stream
        Where to; the standard error by default.
    """

    def __init__(self, items: Collection[Item], what: str, *, shown: bool = True, stream: TextIO | None = None):
        self._items, self._what, self._shown, self._stream = items, what, shown, stream

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        told = time.perf_counter()
        for number, item in enumerate(self._items):
            if self._shown and time.perf_counter() - told >= SECONDS_BETWEEN_LINES:
                told = time.perf_counter()
                print(f"{self._what} {number}/{len(self._items)}", file=self._stream or sys.stderr, flush=True)
            yield item
