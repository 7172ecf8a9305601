#!/usr/bin/env python3
"""Write the types of keyword arguments (``clearspot/contract/keywords.py``) from the classes of settings.

Editors complete the arguments of ``clearspot.denoise(adata, ...)`` from these types, which they read without running
anything. A test checks that the file is what this writes. Run it after an edit of a setting:
``python tools/setting_keywords.py``.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from clearspot.contract.settings import Settings, settings_of
from clearspot.diffst.params import DiffstParams
from clearspot.domains.params import DomainParams
from clearspot.dusted.params import DustedParams
from clearspot.qc.params import QCParams

CLASSES: Final[dict[str, type[Settings]]] = {
    "QCKeywords": QCParams,
    "DustedKeywords": DustedParams,
    "DomainKeywords": DomainParams,
    "DiffstKeywords": DiffstParams,
}

TAKEN: Final = {"DiffstKeywords": ("image",)}
"""Fields that are no keyword arguments: the function has an argument of that name."""

TARGET: Final = Path(__file__).resolve().parents[1] / "src/clearspot/contract/keywords.py"

HEAD: Final = '''"""Types of the keyword arguments that set settings. Written by ``tools/setting_keywords.py``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypedDict
'''


def content() -> str:
    """Text of the file."""
    return HEAD + "".join(_class(name, settings) for name, settings in CLASSES.items())


def _class(name: str, settings: type[Settings]) -> str:
    lines = ["", "", f"class {name}(TypedDict, total=False):", f'    """Fields of :class:`{_home(settings)}`."""', ""]
    hints = get_type_hints(settings)
    for field, declared in settings_of(settings).items():
        if field in TAKEN.get(name, ()):
            continue
        none = f" ``None``: {declared.stated.none}." if declared.stated.none else ""
        text = f"{declared.stated.help}{none} Default: {_default(declared.default)}."
        lines += [f"    {field}: {_annotation(hints[field])}"]
        lines += textwrap.wrap(f'"""{text}"""', 120, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(lines) + "\n"


def _home(settings: type[Settings]) -> str:
    return f"{settings.__module__}.{settings.__name__}"


def _default(value: Any) -> str:
    return "none" if value == () else str(value)


def _annotation(hint: Any) -> str:
    """The annotation as text; where names are taken, any collection of them is."""
    if get_origin(hint) in (Union, UnionType):
        return " | ".join(_annotation(part) for part in get_args(hint))
    if get_origin(hint) is Literal:
        return "Literal[" + ", ".join(f'"{word}"' for word in get_args(hint)) + "]"
    if get_origin(hint) is tuple:
        return "Iterable[str]"
    return "None" if hint is NoneType else str(hint.__name__)


if __name__ == "__main__":
    TARGET.write_text(content(), encoding="utf-8")
    print(f"{TARGET.name}: written")
