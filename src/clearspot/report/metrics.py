"""What the steps recorded about a sample, gathered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clearspot import keys
from clearspot.contract.metric import Metric
from clearspot.contract.metrics import get_metric
from clearspot.contract.metrics_of_space_ranger import SPACE_RANGER
from clearspot.contract.places import Place, place_word
from clearspot.contract.space_ranger import find_figure, find_stated_name
from clearspot.contract.steps import RECORDED, STEPS, get_step
from clearspot.errors import Problem
from clearspot.record import Message, Status, StepRecord, write_json
from clearspot.report.blocks import Finding


@dataclass(frozen=True)
class SampleRecords:
    """All records of one sample.

    Parameters
    ----------
    sample
        Sample name.
    steps
        Record by step, in the order in which the steps run.
    """

    sample: str
    steps: dict[str, StepRecord]

    def metric(self, step: str, name: str) -> Any:
        """Return a metric, or ``None`` where the step did not run or did not measure it.

        Raises
        ------
        KeyError
            If the step declares no such metric.
        """
        declared = get_metric(step, name)
        if step == SPACE_RANGER:
            return find_figure(self.space_ranger, name, declared.title, is_fraction=declared.kind == "fraction")
        record = self.steps.get(step)
        return None if record is None else record.metrics.get(name)

    def param(self, step: str, name: str) -> Any:
        """Return a parameter that a step ran with, or ``None``."""
        record = self.steps.get(step)
        return None if record is None else record.params.get(name)

    def table(self, step: str, name: str) -> dict[str, list[Any]]:
        """Return a column-oriented table; empty where the step did not run or wrote none (or one without rows)."""
        record = self.steps.get(step)
        table = {} if record is None else record.tables.get(name, {})
        return table if any(len(column) for column in table.values()) else {}

    @property
    def space_ranger(self) -> dict[str, Any]:
        """Space Ranger's own summary, under its own names; empty where the sample came without one."""
        table = self.table("ingest", "space_ranger")
        return dict(zip(table["metric"], table["value"], strict=True)) if table else {}

    @property
    def bin_um(self) -> float | None:
        """Side of a Visium HD bin in micrometres; ``None`` for spots."""
        return self.metric("ingest", "bin_size_um")

    @property
    def spot_word(self) -> Place:
        """What a measured place is called: ``spot``, or ``bin`` or ``cell`` on Visium HD."""
        return place_word(self.metric("ingest", "unit"), self.bin_um)

    def title(self, metric: Metric) -> str:
        """Title of a metric in this sample's words: Space Ranger's own name for a figure that its summary states."""
        if SPACE_RANGER not in metric.steps:
            return metric.title_for(self.spot_word)
        stated = find_stated_name(self.space_ranger, metric.name, metric.title)
        # the summary is of bins also where the cells of the same run are read
        return stated or metric.title_for("spot" if self.spot_word == "spot" else "bin")

    @property
    def is_panel(self) -> bool:
        """Whether the sample's genes are a panel, so that limits for a whole transcriptome say nothing."""
        return bool(self.metric("qc", "is_panel"))

    def ran(self, step: str) -> bool:
        """Whether a step ran and accepted its input."""
        return step in self.steps and self.steps[step].status == "ok"

    @property
    def failed_step(self) -> str | None:
        """The step for whose want the whole sample has no results, if there is one."""
        return next(iter(self._without_result(needed=True)), None)

    @property
    def status(self) -> Status:
        """``ok``; or the status of :attr:`failed_step`: ``bad_input`` or ``failed``."""
        return "ok" if self.failed_step is None else self.steps[self.failed_step].status

    @property
    def problems(self) -> list[Problem]:
        """Why the sample has no results; empty where it has."""
        return [problem for record in self._without_result(needed=True).values() for problem in record.problems]

    @property
    def lost(self) -> dict[str, StepRecord]:
        """Records of the optional steps that refused their input or failed: the sample has all results but theirs."""
        return self._without_result(needed=False)

    def messages(self) -> list[tuple[str, Message]]:
        """Return every message with the step that wrote it; one that several steps repeat stands once."""
        seen: dict[tuple[str, str], tuple[str, Message]] = {}
        for step, record in self.steps.items():
            for message in record.messages:
                seen.setdefault((message.level, message.text), (step, message))
        return list(seen.values())

    def _without_result(self, *, needed: bool) -> dict[str, StepRecord]:
        return {
            name: record for name, record in self.steps.items() if record.status != "ok" and _is_needed(name) == needed
        }


def _is_needed(step: str) -> bool:
    """Whether a sample has no results without those of the step; a reference has one step only, which decides."""
    declared = get_step(step)
    return declared.required or declared.scope == "reference"


def common_place(samples: Iterable[SampleRecords]) -> str:
    """What a measured place is called in all samples: ``spot``, ``bin`` or ``cell``; ``location`` where they differ."""
    words: set[str] = {records.spot_word for records in samples}
    return "spot" if not words else words.pop() if len(words) == 1 else "location"


def all_places(samples: Iterable[SampleRecords]) -> str:
    """What the measured places of samples are called, such as ``bins`` or ``spots and cells``."""
    words = {records.spot_word for records in samples} or {"spot"}
    *some, last = [f"{word}s" for word in ("spot", "bin", "cell") if word in words]
    return f"{', '.join(some)} and {last}" if some else last


def reason_of(problems: Iterable[Problem]) -> str:
    """Return problems on one line: file, found, expected."""
    reasons = [f"{problem.file}: {problem.found} (expected {problem.expected})" for problem in problems]
    return " | ".join(" ".join(reason.split()) for reason in reasons)


def find_records(paths: Iterable[Path]) -> list[Path]:
    """Files named, and all ``*.json`` in the folders named, sorted."""
    found: set[Path] = set()
    for path in paths:
        found.update(path.rglob("*.json") if path.is_dir() else [path])
    return sorted(found)


def read_cohort(paths: Iterable[Path]) -> list[SampleRecords]:
    """Read records (files, or folders of them) of any number of samples.

    Returns
    -------
    One entry a sample, sorted by name; none for the run as a whole (:func:`read_run`) and for studies
    (:func:`read_studies`).

    Raises
    ------
    ValueError
        If a record is of a step that the registry does not know, or a step of a sample has two records that differ.
    """
    return [records for records in _read(paths) if records.sample != keys.COHORT]


def read_studies(paths: Iterable[Path]) -> list[SampleRecords]:
    """Read the records of studies, one entry a study, sorted by name.

    Raises
    ------
    ValueError
        As :func:`read_cohort`.
    """
    return _read(paths, of_studies=True)


def read_run(paths: Iterable[Path]) -> SampleRecords:
    """Read the records of steps that ran once for all samples; no steps where there are none.

    Raises
    ------
    ValueError
        As :func:`read_cohort`.
    """
    whole = [records for records in _read(paths) if records.sample == keys.COHORT]
    return whole[0] if whole else SampleRecords(keys.COHORT, {})


_OF_STUDIES: Final = frozenset(step.name for step in STEPS if step.scope == "study")


def _read(paths: Iterable[Path], *, of_studies: bool = False) -> list[SampleRecords]:
    by_sample: dict[str, dict[str, StepRecord]] = {}
    for path in find_records(paths):
        try:
            record = StepRecord.read(path)
        except ValueError as error:
            raise ValueError(f"{path} is not a record: {error}") from error
        if (record.step in _OF_STUDIES) != of_studies:
            continue
        steps = by_sample.setdefault(record.sample, {})
        if steps.get(record.step, record) != record:
            raise ValueError(f"two different records of step {record.step} of sample {record.sample}: {path} is one")
        steps[record.step] = record
    return [SampleRecords(sample, _in_order(by_sample[sample])) for sample in sorted(by_sample)]


def read_sample(paths: Iterable[Path]) -> SampleRecords:
    """Read the records of one sample.

    Raises
    ------
    ValueError
        If there is no record, or if they are of several samples.
    """
    samples = read_cohort(paths)
    if len(samples) != 1:
        names = ", ".join(records.sample for records in samples) or "none"
        raise ValueError(f"a sample report takes records of one sample; found: {names}")
    return samples[0]


def merge_records(records: SampleRecords, judged: Finding | None = None) -> dict[str, Any]:
    """The verdict, and everything that the steps recorded, keyed by step: the content of ``metrics.json``."""
    said = {} if judged is None else {"verdict": {"light": judged.light, "title": judged.title, "reason": judged.text}}
    return {
        "sample": records.sample,
        **said,
        "status": records.status,
        "failed_step": records.failed_step,
        "steps": {
            step: {
                "status": record.status,
                "metrics": record.metrics,
                "params": record.params,
                "tables": record.tables,
                "messages": [{"level": message.level, "text": message.text} for message in record.messages],
                "problems": [problem.as_dict() for problem in record.problems],
            }
            for step, record in records.steps.items()
        },
    }


def write_metrics(records: SampleRecords, path: Path, judged: Finding | None = None) -> None:
    """Write :func:`merge_records` as strict JSON, whole or not at all."""
    write_json(merge_records(records, judged), path)


def _in_order(steps: dict[str, StepRecord]) -> dict[str, StepRecord]:
    return {step: steps[step] for step in RECORDED if step in steps}
