"""Options of the command line, made from the settings that they set. Imports nothing but click."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from clearspot.contract.settings import Setting, Settings, settings_of

Command = TypeVar("Command", bound=Callable[..., Any])

FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
"""A file that is there."""

FOLDER: Final = click.Path(path_type=Path, file_okay=False)
"""A folder that may have to be made."""

INPUT_FOLDER: Final = click.Path(path_type=Path, exists=True, file_okay=False)
"""A folder that is there."""

BY_PRESET: Final = "set by the preset"


def options_of(settings: type[Settings], *names: str) -> Callable[[Command], Command]:
    """Give a click command an option for each setting.

    An option has the name, default, bounds, choices and help of its field; a boolean is a pair ``--x/--no-x``. Where
    the class has presets there is also ``--preset``, and an option that a preset changes is ``None`` where it is left
    out, for :meth:`Settings.preset`. A field that may be choices or names takes ``hvg|all|FILE``, one of names alone a
    file: the text or path is passed on.

    Parameters
    ----------
    settings
        Class that holds the settings.
    names
        Fields, in the order of the help; all of them where none is named.
    """
    declared = settings_of(settings)
    options = [_option(declared[name], settings.presets) for name in names or declared]
    if settings.presets:
        options.insert(0, _preset_option(settings))
    return group(*options)


def group(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order of the help."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _preset_option(settings: type[Settings]) -> Callable[[Any], Any]:
    names = list(settings.presets)
    help_text = "Named group of settings; the other options override single values."
    return click.option("--preset", type=click.Choice(names), default=names[0], show_default=True, help=help_text)


def _option(setting: Setting, presets: Mapping[str, Mapping[str, Any]]) -> Callable[[Any], Any]:
    flag = setting.name.replace("_", "-")
    boolean = setting.kind is bool
    by_preset = any(setting.name in changed for changed in presets.values())
    default = None if by_preset or setting.default == () else setting.default
    return click.option(
        f"--{flag}/--no-{flag}" if boolean else f"--{flag}",
        setting.name,
        type=click.BOOL if boolean else _type(setting),
        default=default,
        metavar="|".join([*setting.choices, "FILE"]) if setting.names else None,
        show_default=BY_PRESET if by_preset else default is not None or setting.stated.none or False,
        help=setting.stated.help,
    )


def _type(setting: Setting) -> click.ParamType[Any]:
    if setting.names:
        return click.STRING if setting.choices else FILE
    if setting.choices:
        return click.Choice(setting.choices)
    if setting.kind is str:
        return click.STRING
    stated = setting.stated
    lowest = stated.ge if stated.gt is None else stated.gt
    highest = stated.le if stated.lt is None else stated.lt
    bounds: dict[str, Any] = {
        "min": lowest,
        "max": highest,
        "min_open": stated.gt is not None,
        "max_open": stated.lt is not None,
    }
    if setting.kind is float:
        return click.FloatRange(**bounds)
    return click.IntRange(**bounds)
