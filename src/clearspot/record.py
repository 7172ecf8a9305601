"""The record that every step writes next to its data: metrics, parameters, tables and messages.

Reports are made from these records alone, so every number in a report was written by a step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clearspot.contract.metrics import check_metrics
from clearspot.contract.steps import RECORDED
from clearspot.errors import Problem
from clearspot.io.atomic import atomic_path

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["info", "handled", "warning"]

Status = Literal["ok", "bad_input", "failed"]


@dataclass(frozen=True)
class Message:
    """A message to the reader of the report.

    ``handled``: an unusual input that was handled; ``warning``: a reason to check the sample before use.
    """

    level: Level
    text: str


@dataclass(repr=False)
class StepRecord:
    """Result of one step for one sample: metrics, parameters, tables and messages.

    Parameters
    ----------
    sample
        Sample name.
    step
        A step of :data:`clearspot.contract.steps.STEPS` that writes a record.
    status
        ``ok``; ``bad_input``: the step refused its input; ``failed``: its task failed. ``problems`` states the reason.
        Only ``ok`` records come with data.
    metrics
        Flat ``name -> number | string | bool``, declared in :mod:`clearspot.contract.metrics`. A metric that was not
        measured is missing or ``None``, never 0.
    params
        Parameters of the step.
    tables
        Named column-oriented tables (``{"column": [values]}``) for the report: loss curves, markers, ...
    messages
        Messages to the reader of the report.
    problems
        Reasons why there is no result.

    Raises
    ------
    ValueError
        If ``step`` is not a step that writes a record.
    """

    sample: str
    step: str
    status: Status = "ok"
    metrics: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.step not in RECORDED:
            raise ValueError(f"no step {self.step!r} writes a record; available: {', '.join(RECORDED)}")

    @classmethod
    def bad_input(cls, sample: str, step: str, problems: Sequence[Problem]) -> StepRecord:
        """Record of a step that refused its input."""
        return cls(sample=sample, step=step, status="bad_input", problems=list(problems))

    def note(self, level: Level, text: str) -> None:
        """Add a message."""
        self.messages.append(Message(level, text))

    def frame(self, table: str) -> pd.DataFrame:
        """Return one of the tables as a data frame.

        Raises
        ------
        KeyError
            If there is no such table. The message lists the available tables.
        """
        import pandas as pd  # the scripts write records, and need no data frames for it

        if table not in self.tables:
            raise KeyError(f"unknown table {table!r}; available: {', '.join(self.tables) or 'none'}")
        return pd.DataFrame(self.tables[table])

    def __repr__(self) -> str:
        from clearspot.notebook.shown import as_line

        return as_line(self, type(self).__name__)

    def _repr_html_(self) -> str:
        from clearspot.notebook.shown import as_html

        return as_html(self)

    def write(self, path: Path) -> None:
        """Write the record as JSON, atomically.

        Raises
        ------
        ValueError
            If a metric is not declared, or not of the declared kind.
        """
        check_metrics(self.step, self.metrics)
        write_json(asdict(self), path)

    @classmethod
    def read(cls, path: Path) -> StepRecord:
        """Read a record written by :meth:`write`."""
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
        raw["messages"] = [Message(**message) for message in raw["messages"]]
        raw["problems"] = [Problem(**problem) for problem in raw["problems"]]
        return cls(**raw)


def write_json(value: Any, path: Path) -> None:
    """Write strict JSON (NaN and infinities become null, numpy scalars numbers), atomically."""
    with atomic_path(path) as partial:
        partial.write_text(
            json.dumps(_plain(value), indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # of numpy, which takes longer to import than a record to write
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value
