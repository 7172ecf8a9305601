"""Optional dependencies (extras of the package), and the message if one is not installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from clearspot.errors import MissingExtraError

EXTRAS: Final[Mapping[str, str]] = {
    "superres": "Super-resolution (Diff-ST)",
    "report": "The reports",
    "spatialdata": "The SpatialData export",
    "study": "A study of several sections",
    "timm": "A pretrained image encoder",
}
"""Extras of ``pyproject.toml`` and what needs them."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import modules of an extra inside this block.

    Parameters
    ----------
    name
        One of :data:`EXTRAS`.

    Raises
    ------
    MissingExtraError
        If a module is not installed; it names the module and the extra.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or str(error)).partition(".")[0]
        raise MissingExtraError(missing, name, EXTRAS[name]) from error
