"""Opening files that may be absent, empty, cut short or something else than their name says."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from clearspot.errors import BadInputError, Problem
from clearspot.io.naming import shown_name

_GZIP_MAGIC = b"\x1f\x8b"

_COPY_AGAIN = "copy the file again from the Space Ranger output (compare sizes or checksums), or rerun Space Ranger"


def bad(path: Path, sample: str, found: str, expected: str, mend: str = _COPY_AGAIN) -> BadInputError:
    """Make the error for one file of an outs folder."""
    return BadInputError(Problem(sample=sample, file=shown_name(path), found=found, expected=expected, mend=mend))


@contextmanager
def reading(path: Path, sample: str, expected: str) -> Iterator[None]:
    """Turn whatever goes wrong while one file is read into a :class:`BadInputError` that names the file.

    A file from outside can be broken in more ways than its reader has error classes: every ``Exception`` that comes
    out of the block means that the file does not hold what was ``expected``.

    Raises
    ------
    BadInputError
        The file is absent, a dangling link, a folder, empty, not permitted, cut short or not in its format.
    """
    require_file(path, sample, expected)
    try:
        yield
    except BadInputError:
        raise
    except PermissionError as error:
        raise bad(path, sample, "no read permission", expected, "check the read permissions") from error
    except MemoryError as error:
        raise bad(path, sample, "sizes that do not fit in memory", expected) from error
    except (EOFError, zlib.error) as error:
        raise bad(path, sample, f"a truncated or corrupt file ({error})", expected) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise bad(path, sample, f"a file that cannot be read ({reason})", expected) from error


def require_file(path: Path, sample: str, expected: str) -> None:
    """Refuse what is not a file with something in it."""
    if not path.exists():
        if path.is_symlink():
            raise bad(
                path,
                sample,
                f"a link to {path.readlink()}, which does not exist",
                expected,
                "copy the file into the folder, or mount the linked folder",
            )
        raise bad(path, sample, "no such file", expected)
    if path.is_dir():
        raise bad(path, sample, "a folder", expected)
    if path.stat().st_size == 0:
        raise bad(path, sample, "an empty file (0 bytes)", expected)


def is_gzip(path: Path) -> bool:
    """Whether the content is gzip; a name that ends in ``.gz`` promises nothing."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP_MAGIC


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading bytes, through gzip if its content is gzip."""
    if is_gzip(path):
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")
