"""Modules of a benchmark, whose folder is no package: its scripts import each other by name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from tests.helpers.engine import REPO


@contextmanager
def benchmark_modules(name: str) -> Iterator[Callable[[str], ModuleType]]:
    """Within the block, import modules of ``benchmarks/<name>`` as its own script would.

    They are forgotten at its end: modules of several benchmarks have the same name.
    """
    folder = REPO / "benchmarks" / name
    own = {path.stem for path in folder.glob("*.py")}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        for module in own & set(sys.modules):
            patch.delitem(sys.modules, module)
        yield importlib.import_module
        for module in own:
            sys.modules.pop(module, None)
