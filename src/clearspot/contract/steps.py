"""The ordered registry of the pipeline's steps.

``steps.json`` beside this module is the registry itself: the workflow reads the same file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Scope = Literal["run", "sample", "reference", "study"]

SOURCE: Final = Path(__file__).with_name("steps.json")


@dataclass(frozen=True)
class Step:
    """One step: one Nextflow process, one script, one library call.

    Parameters
    ----------
    name
        Name in records, metrics and messages.
    process
        Nextflow process.
    script
        Script in ``bin/``.
    title
        Heading of the step in reports and docs.
    does
        What the step does, as a sentence without subject and full stop.
    scope
        ``run``: once a run; ``sample``: once a sample; ``reference``: once a reference;
        ``study``: once a study of several samples.
    required
        Whether a sample that the step refuses is refused as a whole. A refusal in an optional step costs the sample
        what that step makes, and nothing else.
    record
        File name of the step's record, with ``{sample}`` for the name of the sample or study; ``None``: it writes
        none.
    outputs
        Patterns of the files that the step writes beside the record, relative to its output folder.
    software
        Distribution names of the packages that the step's result depends on most, stated in ``software_versions.yml``.
    """

    name: str
    process: str
    script: str
    title: str
    does: str
    scope: Scope
    required: bool
    record: str | None
    outputs: tuple[str, ...]
    software: tuple[str, ...]

    def record_name(self, sample: str) -> str:
        """File name of the step's record for a sample.

        Raises
        ------
        ValueError
            If the step writes no record.
        """
        if self.record is None:
            raise ValueError(f"the step {self.name} writes no record")
        return self.record.format(sample=sample)


def _load() -> tuple[Step, ...]:
    entries = json.loads(SOURCE.read_text(encoding="utf-8"))
    return tuple(
        Step(**entry | {"outputs": tuple(entry["outputs"]), "software": tuple(entry["software"])}) for entry in entries
    )


STEPS: Final = _load()
"""All steps, in the order in which they run."""

_BY_NAME: Final = {step.name: step for step in STEPS}

RECORDED: Final = tuple(step.name for step in STEPS if step.record is not None)
"""Names of the steps that write a record, in order."""


def get_step(name: str) -> Step:
    """Return the step of that name.

    Raises
    ------
    KeyError
        If there is none.
    """
    return _BY_NAME[name]
