"""Settings of a step: each declares its meaning, default and bounds once, in the dataclass that holds it.

Validation, class documentation and command-line options are derived from it
(:mod:`clearspot.contract.options`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from math import isnan
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, ClassVar, Final, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from clearspot.errors import SettingError

T = TypeVar("T")

_METADATA: Final = "clearspot.setting"


@dataclass(frozen=True)
class _Stated:
    """What a field declares."""

    help: str
    none: str | None
    ge: float | None
    gt: float | None
    le: float | None
    lt: float | None
    multiple_of: int | None


def setting(
    default: T,
    help: str,
    *,
    none: str | None = None,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    multiple_of: int | None = None,
) -> T:
    """Declare a field of a :class:`Settings` class.

    Type and choices come from the annotation: ``bool``, ``int``, ``float``, ``str``, a ``Literal`` of words,
    ``tuple[str, ...]`` (names), and ``None`` beside any of them.

    Parameters
    ----------
    default
        Default value.
    help
        What the setting does, in sentences that can be read on their own.
    none
        What ``None`` means, for a field that may be ``None``.
    ge, gt, le, lt
        Bounds: at least, above, at most, below.
    multiple_of
        The value must be a multiple of this number.
    """
    stated = _Stated(help, none, ge, gt, le, lt, multiple_of)
    return field(default=default, metadata={_METADATA: stated})


@dataclass(frozen=True)
class Setting:
    """One setting with its type annotation.

    Parameters
    ----------
    name, default
        Name and default of the field.
    stated
        The declaration made with :func:`setting`.
    kind
        Type of a value that is neither a choice nor names nor ``None``.
    choices
        Allowed words; empty if any value within the bounds is allowed.
    names
        Whether names (of genes) may be given.
    optional
        Whether the value may be ``None``.
    """

    name: str
    default: Any
    stated: _Stated
    kind: type
    choices: tuple[str, ...]
    names: bool
    optional: bool

    @property
    def expected(self) -> str:
        """The values that are allowed, in words."""
        stated, parts = self.stated, []
        if self.choices:
            parts.append(f"one of {', '.join(self.choices)}")
        elif not self.names:
            kind = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}[self.kind]
            kind = kind if stated.multiple_of is None else f"a multiple of {stated.multiple_of}"
            limits = {"at least": stated.ge, "above": stated.gt, "at most": stated.le, "below": stated.lt}
            bounds = [f"{words} {limit:g}" for words, limit in limits.items() if limit is not None]
            parts.append(", ".join([kind, " and ".join(bounds)]) if bounds else kind)
        if self.names:
            parts.append("a list of names")
        if self.optional:
            parts.append("None")
        return " or ".join(parts)

    def checked(self, value: Any) -> Any:
        """Return the value as plain Python (NumPy's numbers as numbers, any sequence of names as a tuple).

        Raises
        ------
        SettingError
            If the value is not allowed.
        """
        if value is None and self.optional:
            return None
        if self.choices and isinstance(value, str) and value in self.choices:
            return value
        if self.names and isinstance(value, Iterable):
            from clearspot.contract.gene_lists import gene_names  # pandas takes a second to import

            names = value if isinstance(value, str) else tuple(value)
            if all(isinstance(name, str) for name in names):
                return gene_names(names)
        if not self.choices and not self.names and self._fits(value):
            return self.kind(value)
        raise SettingError(f"{self.name} must be {self.expected}, not {value!r}")

    def _fits(self, value: Any) -> bool:
        if self.kind in (str, bool):
            return isinstance(value, self.kind)
        if isinstance(value, bool) or not isinstance(value, Integral if self.kind is int else Real):
            return False
        stated, number = self.stated, float(value)
        return (
            not isnan(number)
            and (stated.ge is None or number >= stated.ge)
            and (stated.gt is None or number > stated.gt)
            and (stated.le is None or number <= stated.le)
            and (stated.lt is None or number < stated.lt)
            and (stated.multiple_of is None or number % stated.multiple_of == 0)
        )


@dataclass(frozen=True)
class Settings:
    """Base of the dataclasses that hold the settings of a step.

    A subclass is a frozen dataclass whose fields are made by :func:`setting`. Every instance is valid: values are
    checked when it is made. The section ``Parameters`` of the subclass's documentation is made from its fields.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Named groups of settings and the defaults that each changes. The first one is the defaults themselves."""

    def __init_subclass__(cls) -> None:
        parameters = ["", "", "Parameters", "----------"]
        for name in cls.__annotations__:
            declared = cls.__dict__.get(name)
            if isinstance(declared, Field):
                stated: _Stated = declared.metadata[_METADATA]
                parameters += [name, f"    {stated.help}" + (f" ``None``: {stated.none}." if stated.none else "")]
        cls.__doc__ = (cls.__doc__ or "").rstrip() + "\n".join(parameters) + "\n"

    def __post_init__(self) -> None:
        for name, declared in settings_of(type(self)).items():
            object.__setattr__(self, name, declared.checked(getattr(self, name)))

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """Named settings, with some changed.

        Parameters
        ----------
        name
            Key of :attr:`presets`.
        changes
            Fields to set. ``None`` keeps the preset's value unless ``None`` is itself a valid value.

        Raises
        ------
        SettingError
            If there is no such preset, or a value is not allowed.
        TypeError
            If there is no such field.
        """
        if name not in cls.presets:
            raise SettingError(f"preset must be one of {', '.join(sorted(cls.presets))}, not {name!r}")
        return replace(cls(), **{**cls.presets[name], **cls._known(changes)})

    @classmethod
    def of(cls, **changes: Any) -> Self:
        """The defaults, with some changed; arguments and errors as :meth:`preset`."""
        return cls(**cls._known(changes))

    @classmethod
    def _known(cls, changes: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be changed, all of it settings."""
        declared = settings_of(cls)
        refuse_unknown(cls.__name__, changes, declared)
        return {name: value for name, value in changes.items() if value is not None or declared[name].optional}

    def as_dict(self) -> dict[str, Any]:
        """All settings, for a record."""
        return asdict(self)


def refuse_unknown(owner: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Refuse unknown names.

    Parameters
    ----------
    owner
        Owner of the settings, for the message.
    given, known
        Names.

    Raises
    ------
    TypeError
        With each unknown name and the nearest known one.
    """
    known = list(known)
    unknown = sorted(set(given) - set(known))
    if unknown:
        near = [get_close_matches(name, known, n=1) for name in unknown]
        shown = [f"{name} (nearest: {found[0]})" if found else name for name, found in zip(unknown, near, strict=True)]
        raise TypeError(f"{owner} has no setting named {', '.join(shown)}")


def settings_of(cls: type[Settings]) -> dict[str, Setting]:
    """All settings of a class by name, in order."""
    hints = get_type_hints(cls)
    return {
        one.name: Setting(one.name, one.default, one.metadata[_METADATA], *_read_annotation(hints[one.name]))
        for one in fields(cls)
    }


def _read_annotation(annotation: Any) -> tuple[type, tuple[str, ...], bool, bool]:
    """Kind, choices, whether names are allowed, and whether ``None`` is."""
    union = get_origin(annotation) in (Union, UnionType)
    kind: type = str
    choices: tuple[str, ...] = ()
    names = optional = False
    for part in get_args(annotation) if union else (annotation,):
        if part is NoneType:
            optional = True
        elif get_origin(part) is Literal:
            choices += get_args(part)
        elif get_origin(part) is tuple:
            names = True
        elif part in (bool, int, float, str):
            kind = part
        else:
            raise TypeError(f"a setting cannot be of type {part}")
    return kind, choices, names, optional
