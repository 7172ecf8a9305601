"""Versions of what ran, for provenance."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from clearspot import __version__


def versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python, clearspot and the named packages (absent ones left out)."""
    found = {"python": platform.python_version(), "clearspot": __version__}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
