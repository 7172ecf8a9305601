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
"""Options that are not allowed, as click has it."""

EXIT_BAD_INPUT: Final = 65
"""The data are at fault: never retried (``EX_DATAERR`` of sysexits.h)."""

EXIT_NO_DEVICE: Final = 69
"""A GPU, or a package of an extra, was asked for and is not there (``EX_UNAVAILABLE``)."""

EXIT_DISK_FULL: Final = 73
"""No room for the output (``EX_CANTCREAT``). A message may find no room either; the exit code does."""

EXIT_DAMAGED_FILE: Final = 74
"""A file that an earlier step wrote cannot be read (``EX_IOERR``)."""

EXIT_GPU_OUT_OF_MEMORY: Final = 75
"""Out of GPU memory: retried with a smaller tile (``EX_TEMPFAIL``)."""


UNNAMED: Final = "sample"
"""Name of a sample in Python where none was given."""

_FULL: Final = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with one input, in the words the user needs.

    Parameters
    ----------
    sample
        Sample name.
    file
        The file at fault, relative to the outs folder; or what else is at fault, such as the counts matrix.
    found
        What is there.
    expected
        What should be there.
    mend
        What the user can do about it.
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
        lines = [("found", self.found), ("expected", self.expected), ("to mend", self.mend)]
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
        At least one problem; all that were found, so that the user mends them in one go.
    """

    def __init__(self, problems: Problem | Sequence[Problem]):
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        if not self.problems:
            raise ValueError("a BadInputError needs at least one problem")
        super().__init__("\n\n".join(str(problem) for problem in self.problems))


class SettingError(ValueError):
    """A setting has a value that is not allowed, alone or together with another."""


class DeviceNotAvailableError(Exception):
    """A compute device was asked for by name and is not there."""


class DamagedFileError(Exception):
    """A file that an earlier step wrote whole cannot be read any more."""


class MissingExtraError(ModuleNotFoundError):
    """A package that only some of clearspot needs is not installed.

    Parameters
    ----------
    module
        What could not be imported.
    extra
        The extra of clearspot that brings it.
    what
        What needs it, as the start of a sentence.
    """

    def __init__(self, module: str, extra: str, what: str):
        super().__init__(
            f"{what} needs {module}, which is not installed: pip install 'clearspot[{extra}]'", name=module
        )
        self.extra = extra


class GpuOutOfMemoryError(Exception):
    """The GPU's memory did not suffice; a smaller tile may."""


@contextmanager
def exit_codes(caller: Caller = "command") -> Iterator[None]:
    """Turn the library's errors into a plain message on stderr and the exit code that means it.

    The command-line scripts put their one library call inside this context.

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
        _leave("No such device", error, EXIT_NO_DEVICE)
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
    """Whether a full disk or quota is behind an error; HDF5 says so in words, under several classes."""
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
