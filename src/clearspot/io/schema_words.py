"""Requirements of a JSON Schema and given values, in words for the user."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_LONGEST = 120


def load_schema(path: Path) -> dict[str, Any]:
    """Read a JSON Schema file of this pipeline."""
    schema: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return schema


def types_of(fragment: dict[str, Any]) -> tuple[str, ...]:
    """JSON types that a property's schema allows; empty where it does not say."""
    types = fragment.get("type", ())
    return (types,) if isinstance(types, str) else tuple(types)


def expected_words(fragment: dict[str, Any]) -> str:
    """Say what a property's schema asks for: its own ``errorMessage``, else type, choices and range in words."""
    if "errorMessage" in fragment:
        return str(fragment["errorMessage"])
    if "enum" in fragment:
        return "one of " + ", ".join(found_words(choice) for choice in fragment["enum"])
    words = " or ".join(_TYPES.get(name, name) for name in types_of(fragment)) or "another value"
    bounds = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "exclusiveMaximum": "less than {}",
        "multipleOf": "a multiple of {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "pattern": "matching {}",
    }
    ranges = [text.format(fragment[name]) for name, text in bounds.items() if name in fragment]
    return ", ".join([words, *ranges])


def found_words(value: Any) -> str:
    """Show a value as the user wrote it: text in quotes, true/false/null as in JSON, long values cut."""
    if isinstance(value, str):
        shown = f"'{value}'"
    elif value is None or isinstance(value, bool):
        shown = {None: "null", True: "true", False: "false"}[value]
    else:
        shown = str(value)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Known name that looks most like ``name`` whatever the case and the joining signs, or None."""
    plain = {_letters(candidate): candidate for candidate in known}
    close = get_close_matches(_letters(name), plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def cast(value: Any, fragment: dict[str, Any]) -> Any:
    """Turn text into the number or truth value that the schema asks for.

    Cells of a CSV file are always text. What cannot be turned is returned unchanged, for the validator to refuse;
    so is NaN, as text, because it would pass every minimum and maximum.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    types = types_of(fragment)
    return _from_text(value, types) if isinstance(value, str) and "string" not in types else value


def missing_names(error: ValidationError) -> list[str]:
    """Properties whose absence a ``required`` error is about."""
    required: Any = error.validator_value
    instance: Any = error.instance
    return [str(name) for name in required if name not in instance]


def _from_text(text: str, types: tuple[str, ...]) -> Any:
    if "boolean" in types and text.lower() in {"true", "false"}:
        return text.lower() == "true"
    for name, kind in (("integer", int), ("number", float)):
        if name in types:
            try:
                number = kind(text)
            except ValueError:
                continue
            return number if math.isfinite(number) else text
    # a spreadsheet writes the whole number 8 as 8.0
    whole = text.removesuffix(".0")
    if "integer" in types and whole != text and whole.isdecimal():
        return int(whole)
    return text


def _letters(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())
