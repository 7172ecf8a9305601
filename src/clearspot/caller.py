"""Who calls the library: a message names what that caller can set.

A function of a notebook has arguments, the ``clearspot`` command has options, and a run of the pipeline has parameters
and a samplesheet. Imports nothing, because errors are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Caller = Literal["python", "command", "pipeline"]

# of the process, not of a context: threads that read files beside each other speak to the same caller
_now: Caller = "python"


def current_caller() -> Caller:
    """The present caller: ``python`` unless :func:`called_from` set another."""
    return _now


@contextmanager
def called_from(caller: Caller) -> Iterator[None]:
    """Word messages for this caller inside the block."""
    global _now
    before, _now = _now, caller
    try:
        yield
    finally:
        _now = before


def by_caller(python: str, command: str, pipeline: str) -> str:
    """Return the wording for the present caller."""
    return {"python": python, "command": command, "pipeline": pipeline}[_now]


def option(name: str, pipeline: str | None = None) -> str:
    """How the caller names a setting: ``min_counts``, ``--min-counts`` or ``--qc_min_counts``.

    Parameters
    ----------
    name
        Field or argument.
    pipeline
        Name of the pipeline's parameter, where it is another.
    """
    return by_caller(name, f"--{name.replace('_', '-')}", f"--{pipeline or name}")


def place_of_section(file: str) -> str:
    """How the caller refers to a section: its file, or the AnnData object."""
    return by_caller("AnnData", file, file)
