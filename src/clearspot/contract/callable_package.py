"""Packages of a step that can be called as the step: ``clearspot.qc(adata)`` beside ``clearspot.qc.hvg``."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


def make_callable(package: str, home: str, name: str) -> None:
    """Let a package be called.

    A package and a function of one name cannot both be attributes of their parent: as soon as a module of the package
    is imported, the import system puts the package there. So the package itself passes a call on. Python names this
    way: the class of a module may be replaced by a subclass.

    Parameters
    ----------
    package
        Name of the package, ``__name__`` in its ``__init__``.
    home, name
        Module and function that are called. The module is imported when it is needed.
    """

    def function() -> Any:
        return getattr(import_module(home), name)

    class CallablePackage(ModuleType):
        """A package that stands for one function too."""

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return function()(*args, **kwargs)

        @property
        def __signature__(self) -> Any:
            import inspect

            return inspect.signature(function())

        @property
        def __doc__(self) -> str | None:  # type: ignore[override]
            return function().__doc__

        def __repr__(self) -> str:
            return f"<function and package '{self.__name__}'>"

    sys.modules[package].__class__ = CallablePackage
