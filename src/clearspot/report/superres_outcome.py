"""What became of a sample's optional results: for its page, ``qc_summary.csv`` and the cohort report alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from clearspot.contract.steps import get_step
from clearspot.errors import Problem
from clearspot.record import StepRecord
from clearspot.report.metrics import SampleRecords, reason_of

OutcomeStatus = Literal["ok", "not run", "refused", "failed"]

STEPS: Final = ("histology", "superres_train", "superres")
"""Steps that super-resolution is made of; each needs the one before it (a given checkpoint stands for training)."""


@dataclass(frozen=True)
class SuperresOutcome:
    """Whether a sample is super-resolved and, if not, why.

    Parameters
    ----------
    status
        ``ok``; ``not run``: the sample or the run leaves it out; ``refused``: a step refused its input; ``failed``: a
        task died.
    reason
        Why it is not ``ok``, as a sentence without full stop; empty where it is.
    problems
        What a step that refused or failed recorded.
    step
        Title of that step.
    remedy
        How to run it if it was not run, as a sentence; empty if it is not possible.
    """

    status: OutcomeStatus
    reason: str = ""
    problems: tuple[Problem, ...] = ()
    step: str = ""
    remedy: str = ""


def optional_result(step: str) -> str:
    """What a sample goes without where an optional step made nothing of it."""
    return "super-resolution" if step in STEPS else get_step(step).title


def superres_outcome(records: SampleRecords) -> SuperresOutcome:
    """Say what became of super-resolution, from the records of its steps and of the input check."""
    for name in STEPS:
        if name in records.lost:
            record = records.lost[name]
            title = get_step(name).title
            reason = f"{title}: {reason_of(record.problems)}"
            return SuperresOutcome(_stopped(record), reason, tuple(record.problems), title)
    if records.ran(STEPS[-1]):
        return SuperresOutcome("ok")
    return SuperresOutcome("not run", _why_not_run(records), remedy=_remedy(records))


def step_outcome(records: SampleRecords, step: str) -> tuple[OutcomeStatus, str | None]:
    """Say what became of one optional step: its status as in :class:`SuperresOutcome`, and the reason."""
    if step in records.lost:
        return _stopped(records.lost[step]), reason_of(records.lost[step].problems)
    return ("ok" if records.ran(step) else "not run"), None


def _stopped(record: StepRecord) -> OutcomeStatus:
    return "failed" if record.status == "failed" else "refused"


def _remedy(records: SampleRecords) -> str:
    if records.bin_um is not None or records.failed_step is not None:
        return ""
    reason = records.metric("check", "superres_reason")
    if reason and "full-resolution image" in reason:
        return (
            "To run it, add the full-resolution H&E microscope image to the column image of the samplesheet, or use "
            "--allow_lowres_image for coarser maps from Space Ranger's reduced image."
        )
    if reason and any(word in reason for word in ("too coarse", "not the one", "H&E", "blank")):
        return (
            "To run it, add the full-resolution H&E image used by Space Ranger to the column image of the samplesheet."
        )
    if reason or any(records.ran(name) for name in STEPS):
        return ""
    return "To run it, add the H&E image to the column image of the samplesheet, and run without --skip_superres."


def _why_not_run(records: SampleRecords) -> str:
    done = [name for name in STEPS if records.ran(name)]
    reason = records.metric("check", "superres_reason")
    if done:
        return f"the run ended after the step {get_step(done[-1]).title}"
    if records.failed_step is not None:
        return "the sample was not processed"
    if records.bin_um is not None:
        return "Visium HD bins are already finer than super-resolved bins"
    if reason:
        return str(reason)
    return "it was skipped in this run (--skip_superres)"
