"""The samplesheet: which Space Ranger outputs to analyse, and what the user knows about each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from clearspot.contract.run_names import RUN_NAMES
from clearspot.errors import BadInputError, Problem
from clearspot.io.schema_words import cast, expected_words, found_words, load_schema, missing_names, nearest
from clearspot.io.sheet_text import Entry, SheetText, read_sheet, sheet_problem
from clearspot.record import Message


@dataclass(frozen=True)
class SamplesheetRow:
    """One sample of the sheet; what was not given is None. Paths stand as written.

    Parameters
    ----------
    sample
        Unique name.
    spaceranger_dir
        Output folder, archive or URI.
    image
        Full-resolution histology image.
    role
        ``query`` or ``reference``.
    bin_size_um
        Visium HD bin size in micrometres.
    microns_per_pixel
        Micrometres per pixel of the full-resolution image, where the user knows better than the scale factors.
    image_alignment
        Xenium: how the image lies on the morphology image (:mod:`clearspot.io.image_alignment`).
    unit
        Visium HD: ``bins``, or the ``cells`` that Space Ranger 4 segmented.
    study
        Study that the section belongs to: its sections are integrated (:mod:`clearspot.study`).
    batch
        Sections with the same batch were processed together.
    donor
        Donor of the tissue.
    condition
        Condition of the donor or of the tissue.
    """

    sample: str
    spaceranger_dir: str
    image: str | None = None
    role: str = "query"
    bin_size_um: int | None = None
    microns_per_pixel: float | None = None
    image_alignment: str | None = None
    unit: str | None = None
    study: str | None = None
    batch: str | None = None
    donor: str | None = None
    condition: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """All columns by name, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Samplesheet:
    """A valid sheet: its rows, and what was odd about it but clear."""

    rows: list[SamplesheetRow]
    messages: list[Message]


def read_samplesheet(path: Path, schema_path: Path) -> list[SamplesheetRow]:
    """Read and validate a samplesheet (CSV, TSV, YAML or JSON).

    Parameters
    ----------
    path
        The sheet.
    schema_path
        JSON Schema (2020-12, as nf-schema reads it) of the sheet.

    Raises
    ------
    BadInputError
        With everything that is wrong with the sheet.
    """
    return load_samplesheet(path, schema_path).rows


def load_samplesheet(path: Path, schema_path: Path) -> Samplesheet:
    """Like :func:`read_samplesheet`, with the messages for the report."""
    path, schema = Path(path), load_schema(schema_path)
    columns = schema["items"]["properties"]
    sheet = read_sheet(path)
    entries = [
        Entry(entry.where, {name: cast(cell, columns.get(name, {})) for name, cell in entry.values.items()})
        for entry in sheet.entries
    ]
    problems = [*sheet.problems, *_problems(path, schema, sheet, entries)]
    if problems:
        raise BadInputError(problems)
    rows = [
        SamplesheetRow(**{name: cell for name, cell in entry.values.items() if name in columns}) for entry in entries
    ]
    return Samplesheet(rows, [*sheet.messages, *_unknown_columns(path, sheet, columns), *_same_twice(path, rows)])


def _problems(path: Path, schema: dict[str, Any], sheet: SheetText, entries: list[Entry]) -> Iterator[Problem]:
    columns = schema["items"]["properties"]
    if not entries:
        if not sheet.problems:
            yield sheet_problem(
                path,
                None,
                "no samples",
                "one row per sample below the header line",
                "add a row with 'sample' and 'spaceranger_dir'",
            )
        return
    absent = [name for name in schema["items"]["required"] if name not in sheet.columns]
    for name in absent:
        like = nearest(name, sheet.columns)
        yield sheet_problem(
            path,
            None,
            f"no column '{name}' among: {', '.join(sheet.columns)}",
            f"the columns {', '.join(schema['items']['required'])}",
            f"rename the column '{like}' to '{name}'" if like else f"add the column '{name}'",
        )
    told: set[tuple[int, str]] = set()  # one cell can break several rules
    for error in Draft202012Validator(schema).iter_errors([entry.values for entry in entries]):
        if error.validator == "contains":
            # a misspelt role is reported for its own cell
            if all(entry.values["role"] in columns["role"]["enum"] for entry in entries):
                yield _no_query(path)
        elif error.validator == "required":
            # a column that is missing altogether is reported once, not for each row
            cells = {(int(error.path[0]), name) for name in missing_names(error) if name not in absent}
            yield from (_empty_cell(path, entries[row], name) for row, name in sorted(cells - told))
            told |= cells
        elif (cell := (int(error.path[0]), str(error.path[1]))) not in told:
            told.add(cell)
            yield _bad_cell(path, sheet.entries[cell[0]], cell[1], columns[cell[1]])
    yield from _names_of_the_run(path, entries)
    yield from _alignments(path, entries)
    yield from _units(path, entries)
    yield from _studies(path, entries)
    for name in schema.get("uniqueEntries", []):
        yield from _repeated(path, name, entries)


def _name(entry: Entry) -> str:
    return str(entry.values.get("sample", "unnamed"))


def _empty_cell(path: Path, entry: Entry, name: str) -> Problem:
    return Problem(
        _name(entry),
        f"{path.name}, {entry.where}, column {name}",
        "an empty cell",
        f"a value in every row of '{name}'",
        "fill in the cell, or delete the row",
    )


def _no_query(path: Path) -> Problem:
    return sheet_problem(
        path,
        None,
        "no row with the role 'query'",
        "at least one sample to analyse",
        "leave 'role' empty, or set it to 'query', for the samples to analyse",
    )


def _bad_cell(path: Path, entry: Entry, name: str, fragment: dict[str, Any]) -> Problem:
    value = entry.values[name]  # as written, not as cast
    mend = f"correct the cell in column '{name}'"
    if name == "sample" and isinstance(value, str):
        mend = f"call it '{_legal(value)}'"
    elif name == "sample":
        mend = "put the name in quotes"
    elif name == "image_alignment":
        mend = "specify the file exported by Xenium Explorer, or leave the cell empty"
    elif name == "image":
        mend = "specify the image file, or leave the cell empty if there is none"
    elif isinstance(value, str) and re.fullmatch(r"\d+,\d+", value):
        mend = f"write it with a decimal point: {value.replace(',', '.')}"
    where = f"{path.name}, {entry.where}, column {name}"
    return Problem(_name(entry), where, found_words(value), expected_words(fragment), mend)


def _legal(name: str) -> str:
    """Legal name that looks most like ``name``."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:100] or "sample_1"


def _names_of_the_run(path: Path, entries: list[Entry]) -> Iterator[Problem]:
    """A sample's folder of results has the sample's name: it must be no other file or folder of the results."""
    for entry in entries:
        name = str(entry.values.get("sample", ""))
        if name.lower() in RUN_NAMES:
            yield Problem(
                _name(entry),
                f"{path.name}, {entry.where}, column sample",
                f"'{name}', which is {RUN_NAMES[name.lower()]}",
                f"a name other than {', '.join(RUN_NAMES)}",
                f"call it '{name}_1'",
            )


def _alignments(path: Path, entries: list[Entry]) -> Iterator[Problem]:
    """An alignment says how the image of a Xenium reference lies: without either it means nothing."""
    for entry in entries:
        given = entry.values.get("image_alignment")
        if given is None:
            continue
        where = f"{path.name}, {entry.where}, column image_alignment"
        if entry.values.get("role", "query") == "query":
            yield Problem(
                _name(entry),
                where,
                f"an image alignment ({found_words(given)}) for a sample to analyse",
                "an image alignment only for Xenium samples with the role 'reference'",
                "leave the cell empty, because Space Ranger positions already refer to the image; or set the role to "
                "'reference'",
            )
        elif "image" not in entry.values:
            yield Problem(
                _name(entry),
                where,
                f"an image alignment ({found_words(given)}) without an image",
                "the H&E image that was aligned in the column 'image'",
                "specify the image, or leave the alignment cell empty",
            )


def _units(path: Path, entries: list[Entry]) -> Iterator[Problem]:
    """A reference is rasterised into bins, and cells have no bin size."""
    for entry in entries:
        if entry.values.get("unit") != "cells":
            continue
        where = f"{path.name}, {entry.where}, column unit"
        if entry.values.get("role", "query") == "reference":
            expected, mend = "bins of a sample with the role 'reference'", "leave the cell empty"
            yield Problem(_name(entry), where, "'cells' for a reference", expected, mend)
        elif "bin_size_um" in entry.values:
            found = f"'cells' and a bin size ({entry.values['bin_size_um']})"
            yield Problem(_name(entry), where, found, "either cells or a bin size", "leave one of the two cells empty")


def _studies(path: Path, entries: list[Entry]) -> Iterator[Problem]:
    """A reference is learned from and takes part in no study; two studies that differ by case are one folder."""
    first: dict[str, str] = {}
    for entry in entries:
        if "study" not in entry.values:
            continue
        where, name = f"{path.name}, {entry.where}, column study", str(entry.values["study"])
        if entry.values.get("role", "query") == "reference":
            expected, mend = "studies of samples with the role 'query'", "leave the cell empty"
            yield Problem(_name(entry), where, f"'{name}' for a reference", expected, mend)
        elif first.setdefault(name.lower(), name) != name:
            found = f"'{name}', which differs from '{first[name.lower()]}' only by case"
            yield Problem(_name(entry), where, found, "one spelling of each study", f"write '{first[name.lower()]}'")


def _repeated(path: Path, name: str, entries: list[Entry]) -> Iterator[Problem]:
    """The file systems of Windows and macOS do not tell upper from lower case: two such folders would be one."""
    first: dict[str, tuple[str, str]] = {}
    for entry in entries:
        value = entry.values.get(name)
        if value is None:
            continue
        key = str(value)
        earlier, where = first.setdefault(key.lower(), (key, entry.where))
        if where == entry.where:
            continue
        found = f"'{key}', which is already used in {where}"
        if earlier != key:
            found = f"'{key}', which differs from '{earlier}' in {where} only by case"
        yield Problem(
            _name(entry),
            f"{path.name}, {entry.where}, column {name}",
            found,
            f"a unique '{name}' in each row, ignoring case",
            "rename one of them, or delete the duplicated row",
        )


def _unknown_columns(path: Path, sheet: SheetText, columns: dict[str, Any]) -> Iterator[Message]:
    for name in sheet.columns:
        if name in columns:
            continue
        like = nearest(name, [known for known in columns if known not in sheet.columns])
        hint = f"; did you mean '{like}'?" if like else ""
        yield Message("warning", f"{path.name}: unknown column '{name}' was ignored{hint}")


def _same_twice(path: Path, rows: list[SamplesheetRow]) -> Iterator[Message]:
    """Two names for the same data: allowed, but more often a slip in copying a row."""
    first: dict[tuple[str, int | None, bool], str] = {}
    for row in rows:
        key = (row.spaceranger_dir, row.bin_size_um, row.unit == "cells")
        if key in first:
            text = f"{path.name}: samples '{first[key]}' and '{row.sample}' have the same folder {row.spaceranger_dir}"
            yield Message("warning", text)
        first.setdefault(key, row.sample)
