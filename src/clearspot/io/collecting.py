"""Going on after a problem, to find the others too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clearspot.errors import BadInputError
from clearspot.record import StepRecord


@contextmanager
def collecting(record: StepRecord) -> Iterator[None]:
    """Put the problems of a :class:`BadInputError` into the record instead of raising it."""
    try:
        yield
    except BadInputError as error:
        record.problems += [problem for problem in error.problems if problem not in record.problems]
