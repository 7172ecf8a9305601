"""Numbers in columns of any width as numbers with one space between them."""

from __future__ import annotations

import re
from typing import IO, Final

_ODD: Final = re.compile(rb"\t|  |(?:\A|\n) | \r?\n")
_BLANKS: Final = re.compile(rb"[ \t]+")
_AT_LINE_END: Final = re.compile(rb" ?(\r?\n) ?")


def has_other_spaces(lines: bytes) -> bool:
    """Whether there are tabs, several spaces in a row, or spaces at the ends of lines."""
    return _ODD.search(lines) is not None


class SingleSpaces:
    """A binary stream with one space between the words of a line and none at its ends; for Arrow's reader of CSV.

    Parameters
    ----------
    file
        Stream of lines of text.
    """

    closed = False

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._pending = b""

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes; none at the end of the file."""
        while not self._pending:
            # whole lines, so that no run of spaces is cut
            block = self._file.read(size) + self._file.readline()
            if not block:
                return b""
            self._pending = _AT_LINE_END.sub(rb"\1", _BLANKS.sub(b" ", block)).strip(b" ")
        end = len(self._pending) if size < 0 else size
        found, self._pending = self._pending[:end], self._pending[end:]
        return found

    def close(self) -> None:
        """Do nothing: the file belongs to whoever opened it."""
