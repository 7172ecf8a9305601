"""Versions of what ran, for provenance. They are read from the packages' metadata: nothing is imported."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from clearspot.io.atomic import atomic_path
from clearspot.release import __version__

if TYPE_CHECKING:
    from clearspot.contract.steps import Step


def versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Versions of Python, clearspot and the named packages (absent ones left out)."""
    found = {"python": platform.python_version(), "clearspot": __version__}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def write_versions(step: Step, path: Path) -> None:
    """Write the versions of a step's software as nf-core has them: YAML, under the name of the process."""
    lines = [f"{step.process}:", *(f'    {name}: "{number}"' for name, number in versions(step.software).items())]
    with atomic_path(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
