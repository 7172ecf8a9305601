"""Errors that a user can act on, and the exit codes that the pipeline reads."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from tempfile import TemporaryFile
from typing import Final

import click

from clearspot.caller import Caller, called_from, current_caller

EXIT_USAGE: Final = 2
"""Invalid command-line options (click's exit code)."""

EXIT_BAD_INPUT: Final = 65
"""The input data are faulty: never retried (``EX_DATAERR`` of sysexits.h)."""

EXIT_NO_DEVICE: Final = 69
"""A requested GPU, or the package of an extra, is unavailable (``EX_UNAVAILABLE``)."""

EXIT_DISK_FULL: Final = 73
"""No space left for the output (``EX_CANTCREAT``). There may be no space for a message either."""

EXIT_DAMAGED_FILE: Final = 74
"""A file that an earlier step wrote cannot be read (``EX_IOERR``)."""

EXIT_GPU_OUT_OF_MEMORY: Final = 75
"""Out of GPU memory: retried with smaller tiles (``EX_TEMPFAIL``)."""


UNNAMED: Final = "sample"
"""Sample name in Python if none was given."""

_FULL: Final = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


@dataclass(frozen=True)
class Problem:
    """One problem with one input, worded for the user.

    Parameters
    ----------
    sample
        Sample name.
    file
        The faulty file, relative to the outs folder, or another faulty input such as the counts matrix.
    found
        What was found.
    expected
        What was expected.
    mend
        How the user can fix it.
    """

    sample: str
    file: str
    found: str
    expected: str
    mend: str

    def as_dict(self) -> dict[str, str]:
        """Return the five fields, for a JSON record."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [("found", self.found), ("expected", self.expected), ("to fix", self.mend)]
        if current_caller() != "python":
            lines[:0] = [("sample", self.sample), ("file", self.file)]
        else:  # who works on an object in memory has no files, and may not have given it a name
            lines[:0] = [("sample", self.sample)] * (self.sample != UNNAMED) + [("in", self.file)]
        return "\n".join(f"{label:<8} {text}" for label, text in lines)


class BadInputError(Exception):
    """One or several problems with the input of one command.

    Parameters
    ----------
    problems
        At least one problem; all that were found, so that the user can fix them in one go.
    """

    def __init__(self, problems: Problem | Sequence[Problem]):
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        if not self.problems:
            raise ValueError("a BadInputError needs at least one problem")
        super().__init__("\n\n".join(str(problem) for problem in self.problems))


class SettingError(ValueError):
    """The value of a setting is not allowed, on its own or in combination with another."""


class DeviceNotAvailableError(Exception):
    """The requested compute device is unavailable."""


class DamagedFileError(Exception):
    """A complete file of an earlier step can no longer be read."""


class MissingExtraError(ModuleNotFoundError):
    """An optional package is not installed.

    Parameters
    ----------
    module
        Module that could not be imported.
    extra
        The extra of clearspot that installs it.
    what
        What needs it, as the subject of a sentence.
    """

    def __init__(self, module: str, extra: str, what: str):
        super().__init__(
            f"{what} needs {module}, which is not installed: pip install 'clearspot[{extra}]'", name=module
        )
        self.extra = extra


class GpuOutOfMemoryError(Exception):
    """The GPU ran out of memory; smaller tiles may fit."""


@contextmanager
def exit_codes(caller: Caller = "command") -> Iterator[None]:
    """Turn the library's errors into a plain message on stderr and the matching exit code.

    The command-line scripts run their library call inside this context.

    Parameters
    ----------
    caller
        Who reads the messages.
    """
    hooks = sys.excepthook, sys.unraisablehook
    sys.excepthook = lambda kind, error, trace: None if is_disk_full(error) else hooks[0](kind, error, trace)
    sys.unraisablehook = lambda what: None if is_disk_full(what.exc_value) else hooks[1](what)
    try:
        with called_from(caller):
            yield
    except SettingError as error:
        _leave("Invalid setting", error, EXIT_USAGE)
    except BadInputError as error:
        _leave("Bad input", error, EXIT_BAD_INPUT)
    except DeviceNotAvailableError as error:
        _leave("Device not available", error, EXIT_NO_DEVICE)
    except MissingExtraError as error:
        _leave("Not installed", error, EXIT_NO_DEVICE)
    except DamagedFileError as error:
        _leave("Damaged file", error, EXIT_DAMAGED_FILE)
    except GpuOutOfMemoryError as error:
        _leave("Out of GPU memory", error, EXIT_GPU_OUT_OF_MEMORY)
    except Exception as error:
        if not is_disk_full(error):
            raise
        if _room_for_a_message():
            with suppress(OSError):
                click.echo(f"ERROR: No space left on the disk\n{error}", err=True)
                sys.stdout.flush()
        # not by an exception: HDF5 crashes while Python ends, on the file that it could not write
        os._exit(EXIT_DISK_FULL)
    finally:
        sys.excepthook, sys.unraisablehook = hooks


def _room_for_a_message() -> bool:
    """Whether a message would harm nothing: a task's goes to a file of its work folder.

    Where that finds no room, Nextflow takes the failure to write it for the task's exit code. h5py speaks up too, for
    each part of a file that it cannot close: hence the hooks above.
    """
    if sys.stderr.isatty():
        return True
    try:
        with TemporaryFile(dir=".") as file:
            file.write(bytes(16384))
    except OSError:
        return False
    return True


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk or quota caused an error; HDF5 reports it only in the message, under several classes."""
    chain = error
    while chain is not None:
        if getattr(chain, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(chain, (OSError, RuntimeError)) and any(words in str(chain) for words in _FULL):
            return True
        chain = chain.__cause__ or chain.__context__
    return False


def _leave(title: str, error: Exception, code: int) -> None:
    click.echo(f"ERROR: {title}\n{error}", err=True)
    raise SystemExit(code) from error
