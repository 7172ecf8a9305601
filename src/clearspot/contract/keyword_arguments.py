"""Functions that take settings as keyword arguments: signature, documentation, and the message for a typo."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from clearspot.contract.settings import Setting, Settings, refuse_unknown, settings_of

Function = TypeVar("Function", bound=Callable[..., Any])


def takes_settings(settings: type[Settings]) -> Callable[[Function], Function]:
    """Say which settings stand behind a function's ``**settings``.

    Its signature lists each with its default, so that Jupyter completes them and ``help`` shows them; the section
    ``Other Parameters`` of its docstring describes each. A name that there is not raises a ``TypeError`` that names the
    nearest one. Editors, which run nothing, complete from :mod:`clearspot.contract.keywords`.

    Parameters
    ----------
    settings
        Class that holds them.
    """
    declared = settings_of(settings)

    def decorate(function: Function) -> Function:
        own = inspect.signature(function)
        named = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        taken = {one.name for one in named}
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hint)
            for (name, one), hint in zip(declared.items(), _hints(settings, list(declared)), strict=True)
            if name not in taken
        ]

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            refuse_unknown(f"{function.__name__}()", kwargs, [*taken, *(one.name for one in added)])
            return function(*args, **kwargs)

        checked.__signature__ = own.replace(parameters=[*named, *added])  # type: ignore[attr-defined]
        checked.__doc__ = _documented(function.__doc__ or "", {one.name: declared[one.name] for one in added})
        return cast(Function, checked)

    return decorate


def _hints(settings: type[Settings], names: list[str]) -> list[Any]:
    """Annotations as they were written."""
    written = inspect.get_annotations(settings)
    return [written[name] for name in names]


def _documented(text: str, settings: dict[str, Setting]) -> str:
    """The docstring with a section on the settings, before its section ``Returns``."""
    lines = ["Other Parameters", "----------------"]
    for name, one in settings.items():
        none = f" ``None``: {one.stated.none}." if one.stated.none else ""
        lines += [name, f"    {one.stated.help}{none}"]
    section = "\n".join(lines)
    head, mark, tail = inspect.cleandoc(text).partition("Returns\n-------")
    return f"{head.rstrip()}\n\n{section}\n\n{mark}{tail}" if mark else f"{head}\n\n{section}\n"
