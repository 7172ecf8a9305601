"""The text of a samplesheet, in any of its formats, as entries that know where they stand."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from clearspot.errors import BadInputError, Problem
from clearspot.record import Message

ALL_SAMPLES = "all samples"
"""A problem's ``sample`` if the whole sheet is at fault."""

MAX_BYTES = 10_000_000
"""A sheet beyond this is something else: it is room for 50,000 samples."""

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods; .xls
_SAVE_AS = "save it as 'CSV UTF-8 (comma delimited)' from the spreadsheet program"


@dataclass(frozen=True)
class Entry:
    """One row: where it stands ("line 4", "entry 2") and its cells by column name, empty ones left out."""

    where: str
    values: dict[str, Any]


@dataclass
class SheetText:
    """A parsed sheet: column names in order, entries, corrections made while reading, and problems."""

    columns: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_sheet(path: Path) -> SheetText:
    """Take a CSV, TSV, YAML or JSON sheet apart, whatever its line ends, byte order mark and empty lines.

    Raises
    ------
    BadInputError
        The file cannot be read as a sheet at all. What is wrong with single rows is in ``problems``.
    """
    path = Path(path)
    sheet = SheetText()
    text = _decode(path, sheet)
    if path.suffix.lower() in {".yaml", ".yml", ".json"}:
        _read_list(path, text, sheet)
    else:
        _read_table(path, text, sheet)
    return sheet


def sheet_problem(path: Path, where: str | None, found: str, expected: str, mend: str) -> Problem:
    """Problem of the sheet as a whole, not of one sample."""
    return Problem(ALL_SAMPLES, f"{path.name}, {where}" if where else path.name, found, expected, mend)


def _decode(path: Path, sheet: SheetText) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInputError(
            sheet_problem(path, None, f"not readable: {why}", "a readable file", "check the path given as --input")
        ) from error
    if len(raw) > MAX_BYTES:
        found = f"more than {MAX_BYTES} bytes"
        raise BadInputError(
            sheet_problem(path, None, found, "a table of samples, a few kB", "check the path given as --input")
        )
    if raw.startswith(_WORKBOOKS):
        raise BadInputError(sheet_problem(path, None, "a spreadsheet file", "plain text", _SAVE_AS))
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        lines_before = raw[: error.start].count(b"\n")
        where = f"line {lines_before + 1}" if encoding == "utf-8-sig" else None
        raise BadInputError(sheet_problem(path, where, "bytes that are not UTF-8", "UTF-8 text", _SAVE_AS)) from error
    if "\0" in text:
        raise BadInputError(sheet_problem(path, None, "binary data", "plain text", _SAVE_AS))
    if encoding == "utf-16" or raw.startswith(b"\xef\xbb\xbf"):
        sheet.messages.append(Message("handled", f"{path.name}: byte order mark skipped"))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_table(path: Path, text: str, sheet: SheetText) -> None:
    first = next((line for line in text.split("\n") if line.strip()), "")
    if ";" in first and "," not in first and "\t" not in first:
        raise BadInputError(
            sheet_problem(
                path,
                "line 1",
                f"columns separated by semicolons: '{first.strip()}'",
                "columns separated by commas (.csv) or tabs (.tsv)",
                "replace ';' by ','; spreadsheet programs with decimal-comma settings write ';' to CSV files: save "
                "with the separator ',' or as tab-separated text",
            )
        )
    rows = _rows(path, text, "\t" if "\t" in first and "," not in first else ",")
    filled = [(line, cells) for line, cells in rows if any(cells)]
    if not filled:
        return
    between = sum(filled[0][0] <= line <= filled[-1][0] for line, _ in rows) - len(filled)
    if between:
        sheet.messages.append(Message("handled", f"{path.name}: {between} empty line(s) skipped"))
    header_line, header = filled[0]
    sheet.columns = [name for name in header if name]
    repeated = sorted({name for name in sheet.columns if header.count(name) > 1})
    if repeated:
        raise BadInputError(
            sheet_problem(
                path,
                f"line {header_line}",
                f"duplicated column: {', '.join(repeated)}",
                "unique column names",
                "delete or rename one of them",
            )
        )
    for line, cells in filled[1:]:
        named = dict(zip(header, cells, strict=False))
        homeless = [cell for name, cell in zip(header, cells, strict=False) if cell and not name]
        homeless += [cell for cell in cells[len(header) :] if cell]
        if homeless:
            sheet.problems.append(
                Problem(
                    named.get("sample") or "unnamed",
                    f"{path.name}, line {line}",
                    f"{len(cells)} cells, of which '{homeless[0]}' has no column",
                    f"the {len(sheet.columns)} columns of the first line: {', '.join(sheet.columns)}",
                    "put double quotes around a cell that contains a comma, or add a column name in the first line",
                )
            )
        sheet.entries.append(Entry(f"line {line}", {name: cell for name, cell in named.items() if name and cell}))


def _rows(path: Path, text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Lines' numbers (of the first line, where a quoted cell spans several) and their stripped cells."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            rows.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInputError(
            sheet_problem(
                path,
                f"line {line}",
                f"not readable as a table ({error})",
                "cells with a comma in double quotes, each quote closed",
                "look for an unmatched double quote in that line",
            )
        ) from error
    return rows


def _read_list(path: Path, text: str, sheet: SheetText) -> None:
    is_json = path.suffix.lower() == ".json"
    try:
        value = json.loads(text) if is_json else _load_yaml(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        words = " ".join(str(error).split())
        kind = "JSON" if is_json else "YAML"
        raise BadInputError(
            sheet_problem(
                path, None, f"not readable as {kind}: {words}", f"valid {kind}", "correct the file at that position"
            )
        ) from error
    if value is None:
        return
    if not isinstance(value, list):
        raise BadInputError(
            sheet_problem(
                path,
                None,
                "a single value or mapping",
                "a list with one mapping of column names to values for each sample",
                "start the entry of each sample with '- sample: name'",
            )
        )
    for number, item in enumerate(value, 1):
        where = f"entry {number}"
        if not isinstance(item, dict):
            sheet.problems.append(
                Problem(
                    "unnamed",
                    f"{path.name}, {where}",
                    f"not a mapping: {str(item)[:80]}",
                    "column names with values",
                    "write 'sample: name', 'spaceranger_dir: path', ...",
                )
            )
            continue
        cells = {str(name).strip(): cell.strip() if isinstance(cell, str) else cell for name, cell in item.items()}
        sheet.columns += [name for name in cells if name not in sheet.columns]
        sheet.entries.append(
            Entry(where, {name: cell for name, cell in cells.items() if cell is not None and cell != ""})
        )


def _load_yaml(text: str) -> Any:
    """Read YAML without aliases: a few lines of them stand for more text than any machine holds."""
    if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
        raise ValueError("an alias ('*name'), which is not allowed in a samplesheet")
    return yaml.safe_load(text)
