"""The record that every step writes beside its data: what it measured, decided and removed.

Reports are made from these records alone, so a number in a report is always a number that a step wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from clearspot.errors import Problem
from clearspot.io.atomic import atomic_path

Level = Literal["info", "handled", "warning"]


@dataclass(frozen=True)
class Message:
    """Something the reader of the report should know.

    ``handled``: an odd input that was dealt with; ``warning``: a reason to look before trusting the sample.
    """

    level: Level
    text: str


@dataclass
class StepRecord:
    """What one step says about one sample.

    Parameters
    ----------
    sample
        Sample name.
    step
        ``samplesheet``, ``check``, ``ingest``, ``qc``, ``graph``, ``dusted`` or ``domains``.
    status
        ``ok`` or ``bad_input`` (then ``problems`` says why, and no data follow).
    metrics
        Flat ``name -> number | string | bool``. A metric that was not measured is left out or ``None``, never 0.
    params
        The parameters the step ran with.
    tables
        Named column-oriented tables (``{"column": [values]}``) for the report: loss curves, markers, ...
    messages
        What the reader should know.
    problems
        Why the input is bad.
    """

    sample: str
    step: str
    status: Literal["ok", "bad_input"] = "ok"
    metrics: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def bad_input(cls, sample: str, step: str, problems: Sequence[Problem]) -> StepRecord:
        """Record of a step that refused its input."""
        return cls(sample=sample, step=step, status="bad_input", problems=list(problems))

    def note(self, level: Level, text: str) -> None:
        """Add a message."""
        self.messages.append(Message(level, text))

    def write(self, path: Path) -> None:
        """Write the record as JSON, whole or not at all."""
        write_json(asdict(self), path)

    @classmethod
    def read(cls, path: Path) -> StepRecord:
        """Read a record written by :meth:`write`."""
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        raw["messages"] = [Message(**message) for message in raw["messages"]]
        raw["problems"] = [Problem(**problem) for problem in raw["problems"]]
        return cls(**raw)


def write_json(value: Any, path: Path) -> None:
    """Write strict JSON (NaN and infinities become null, numpy scalars numbers), whole or not at all."""
    with atomic_path(path) as partial:
        partial.write_text(
            json.dumps(_plain(value), indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers, without importing NumPy
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value
