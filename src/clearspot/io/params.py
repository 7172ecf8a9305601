"""The pipeline's parameters, checked against ``nextflow_schema.json`` without a Nextflow plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from clearspot.errors import BadInputError, Problem
from clearspot.io.schema_words import cast, expected_words, found_words, load_schema, missing_names, nearest, types_of
from clearspot.io.sheet_text import ALL_SAMPLES

FILE = "parameters"
"""A problem's ``file`` if a parameter is at fault: parameters come from the command line, files and profiles alike."""


def check_params(params: Mapping[str, Any], schema_path: Path) -> None:
    """Validate all parameters of a run.

    Whether files exist is not looked at: Nextflow stages them. Neither are names that the schema does not know: the
    workflow refuses them before any task. ``None`` and empty text mean not given. Numbers and truth values may come as
    text.

    Parameters
    ----------
    params
        Nextflow's ``params``, flat.
    schema_path
        JSON Schema (2020-12, as nf-schema reads it: groups in ``$defs``, joined by ``allOf``).

    Raises
    ------
    BadInputError
        With every parameter that is wrong.
    """
    schema = load_schema(schema_path)
    known = _known(schema)
    given = {
        name: _typed(value, known.get(name, {})) for name, value in params.items() if value is not None and value != ""
    }
    problems = list(_problems(Draft202012Validator(schema).iter_errors(given), given, known))
    if problems:
        raise BadInputError(problems)


def _known(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each parameter's own schema, from the top and from every group."""
    known: dict[str, dict[str, Any]] = dict(schema.get("properties", {}))
    for group in schema.get("$defs", {}).values():
        known.update(group.get("properties", {}))
    return known


def _typed(value: Any, fragment: dict[str, Any]) -> Any:
    # Nextflow makes a number of `--name 123` before anybody can ask whether text was meant
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number and set(types_of(fragment)) == {"string"} else cast(value, fragment)


def _problems(
    errors: Iterator[ValidationError], given: Mapping[str, Any], known: Mapping[str, dict[str, Any]]
) -> Iterator[Problem]:
    seen = set()
    for error in errors:
        if error.path:
            name = str(error.path[0])
            if name not in seen:
                seen.add(name)
                yield _bad_value(name, given[name], known.get(name, {}))
        elif error.validator == "required":
            for name in missing_names(error):
                if name not in seen:
                    seen.add(name)
                    yield _missing(name, known.get(name, {}))
        else:
            yield Problem(ALL_SAMPLES, FILE, error.message, "the values listed by --help", "correct the parameters")


def _bad_value(name: str, value: Any, fragment: dict[str, Any]) -> Problem:
    mend = f"set another value with --{name} on the command line, or '{name}' in a -params-file or configuration file"
    choices = [choice for choice in fragment.get("enum", ()) if isinstance(choice, str)]
    like = nearest(value, choices) if isinstance(value, str) else None
    if like:
        mend = f"did you mean --{name} {like}?"
    elif value is True and "boolean" not in types_of(fragment):
        mend = f"add a value after --{name}"
    return Problem(ALL_SAMPLES, FILE, f"--{name} {found_words(value)}", expected_words(fragment), mend)


def _missing(name: str, fragment: dict[str, Any]) -> Problem:
    meaning = fragment.get("description", "")
    expected = f"--{name}" + (f" ({meaning[0].lower()}{meaning[1:].rstrip('.')})" if meaning else "")
    return Problem(
        ALL_SAMPLES,
        FILE,
        f"no --{name}",
        expected,
        f"add --{name} to the command line, or '{name}' to the -params-file",
    )
