"""What every step's script in ``bin/`` has in common: its first options, what a refusal leaves behind, versions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate

import click

from clearspot.contract.options import FOLDER, group
from clearspot.contract.steps import Step, get_step
from clearspot.errors import BadInputError, exit_codes
from clearspot.keys import COHORT
from clearspot.version import write_versions

if TYPE_CHECKING:
    from clearspot.record import StepRecord  # not before the script does something: --help should not wait


@dataclass(frozen=True)
class StepScript:
    """One call of a step's script.

    Parameters
    ----------
    step
        The step.
    sample
        Sample name.
    outdir
        Folder for everything that the step writes.
    verdict_only
        Whether a refused input is a record and exit code 0, in place of exit code 65.
    versions
        File for the versions of the software; ``None``: not written.
    """

    step: Step
    sample: str
    outdir: Path
    verdict_only: bool = False
    versions: Path | None = None

    def write(self, record: StepRecord) -> None:
        """Write the step's record and show its messages.

        Raises
        ------
        BadInputError
            If the record has problems and the caller did not ask for the verdict only. Nothing is written then.
        """
        if record.problems and not self.verdict_only:
            raise BadInputError(record.problems)
        record.write(self.outdir / self.step.record_name(self.sample))
        self.show(record)

    def show(self, record: StepRecord) -> None:
        """Show the messages and problems of a record on the standard error."""
        for message in record.messages:
            click.echo(f"{message.level}: {message.text}", err=True)
        if record.problems:
            click.echo(f"Refused:\n{BadInputError(record.problems)}", err=True)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the step inside this block: make its folder, give errors their exit codes, and write versions."""
        with exit_codes("pipeline"):
            self.outdir.mkdir(parents=True, exist_ok=True)
            try:
                yield
            except BadInputError as error:
                if not self.verdict_only:
                    raise
                if _writes():
                    self._refuse(error)
            if self.versions is not None and _writes():
                write_versions(self.step, self.versions)

    def _refuse(self, error: BadInputError) -> None:
        from clearspot.record import StepRecord

        self.write(StepRecord.bad_input(self.sample, self.step.name, error.problems))


def step_command(name: str) -> Callable[[Callable[Concatenate[StepScript, ...], None]], click.Command]:
    """Make a click command of a step from a function of a :class:`StepScript` and its further options.

    It has ``--outdir`` and ``--versions``; ``--sample`` unless it runs once for all samples; and, where a refusal
    leaves a record, ``--verdict-only``.

    Parameters
    ----------
    name
        Name of the step in the registry.
    """
    step = get_step(name)
    once = step.scope == "run"
    shared = []
    if not once:
        shared.append(click.option("--sample", required=True, help="Sample name."))
    shared.append(
        click.option("--outdir", type=FOLDER, default=Path(), help="Output folder.  [default: current folder]")
    )
    if step.record is not None and not (once and step.required):
        shared.append(
            click.option(
                "--verdict-only", is_flag=True, help="If the input is refused, write a record and exit with code 0."
            )
        )
    shared.append(
        click.option(
            "--versions",
            type=click.Path(path_type=Path, dir_okay=False),
            help="YAML file to write with the software versions.",
        )
    )

    def decorate(function: Callable[Concatenate[StepScript, ...], None]) -> click.Command:
        @wraps(function)
        def run(
            *, sample: str = COHORT, outdir: Path, versions: Path | None, verdict_only: bool = False, **options: Any
        ) -> None:
            script = StepScript(step, sample, outdir, verdict_only, versions)
            with script.running():
                function(script, **options)

        return click.command()(group(*shared)(run))

    return decorate


def _writes() -> bool:
    """Whether this process writes: under ``torchrun`` (which sets ``LOCAL_RANK`` too) only the first one does."""
    return "LOCAL_RANK" not in os.environ or os.environ.get("RANK", "0") == "0"
