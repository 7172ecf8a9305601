"""Spot positions, in every form that Space Ranger has written them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.io.reading import bad, open_binary, reading

PXL_ROW: Final = "pxl_row_in_fullres"
PXL_COL: Final = "pxl_col_in_fullres"
COLUMNS: Final = (keys.IN_TISSUE, keys.ARRAY_ROW, keys.ARRAY_COL, PXL_ROW, PXL_COL)

_EXPECTED = "positions: barcode, in_tissue, array_row, array_col, pxl_row_in_fullres, pxl_col_in_fullres"
_PARQUET_MAGIC = b"PAR1"

_PANDAS = tuple(int(part) for part in pd.__version__.split(".")[:2])
_EXACT: Final[dict[str, Any]] = {} if _PANDAS >= (3, 1) else {"float_precision": "round_trip"}
"""Has pandas read every number exactly, which 3.1 does unasked."""


def read_positions(path: Path, sample: str) -> pd.DataFrame:
    """Read one positions file.

    Whether it has a header is determined from its first cell, and its format from its content: both have been found
    under every name.

    Parameters
    ----------
    path
        CSV (plain or gzip, with or without header) or Parquet.
    sample
        Sample name for messages.

    Returns
    -------
    DataFrame
        Indexed by barcode: ``in_tissue`` (bool), ``array_row``, ``array_col`` (int32), ``pxl_row_in_fullres`` and
        ``pxl_col_in_fullres`` (float64, full-resolution pixels; they may be negative). Barcodes may repeat.

    Raises
    ------
    BadInputError
        The file cannot be read, lacks a column, or holds text or missing values among the numbers.
    """
    with reading(path, sample, _EXPECTED):
        with path.open("rb") as file:
            is_parquet = file.read(4) == _PARQUET_MAGIC
        table = _read_parquet(path) if is_parquet else _read_csv(path)
        first_line = 1 if is_parquet or not table.attrs["header"] else 2
        return _checked(table, path, sample, first_line)


def read_agreeing_positions(paths: Sequence[Path], sample: str) -> pd.DataFrame:
    """Read all positions files of a sample, which must say the same.

    Raises
    ------
    BadInputError
        As :func:`read_positions`; or two files place the same barcode differently.
    """
    first, *others = (read_positions(path, sample) for path in paths)
    for other, path in zip(others, paths[1:], strict=True):
        if not _agree(first, other):
            raise bad(
                path,
                sample,
                f"positions that differ from {paths[0].name}",
                "positions files with the same content",
                "keep only the original file of this matrix",
            )
    return first


def _agree(first: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Whether two tables place the same barcodes alike; one of them may have pixels rounded to whole numbers."""
    unique = first.index.is_unique and other.index.is_unique
    if len(first) != len(other) or not unique or not first.index.isin(other.index).all():
        return False
    other = other.loc[first.index]
    exact = [keys.IN_TISSUE, keys.ARRAY_ROW, keys.ARRAY_COL]
    pixels = [PXL_ROW, PXL_COL]
    moved = np.abs(first[pixels].to_numpy() - other[pixels].to_numpy())
    return first[exact].equals(other[exact]) and bool((moved <= 1).all())


def _read_parquet(path: Path) -> pd.DataFrame:
    table = pd.read_parquet(path)
    return table if isinstance(table.index, pd.RangeIndex) else table.reset_index()


def _read_csv(path: Path) -> pd.DataFrame:
    with open_binary(path) as file:
        first = file.readline(10_000).decode("utf-8-sig")
    # spreadsheets and R's write.csv2 write semicolons, and decimal commas with them
    separator = max(",\t;", key=first.count) if ";" in first or "," not in first else ","
    header = first.split(separator)[0].strip().strip('"').lower() in ("barcode", "barcodes", "")
    with open_binary(path) as file:
        table = pd.read_csv(
            file,
            sep=separator,
            header=0 if header else None,
            converters={0: str},
            encoding="utf-8-sig",
            skipinitialspace=True,
            decimal="," if separator == ";" else ".",
            **_EXACT,
        )
    if not header:
        if table.shape[1] != len(COLUMNS) + 1:
            raise ValueError(f"{table.shape[1]} columns instead of {len(COLUMNS) + 1}")
        table.columns = ["barcode", *COLUMNS]
    table.attrs["header"] = header
    return table


def _checked(table: pd.DataFrame, path: Path, sample: str, first_line: int) -> pd.DataFrame:
    table = table.rename(columns={name: str(name).strip().lower() for name in table.columns})
    if "barcode" not in table:
        table = table.rename(columns={table.columns[0]: "barcode"})
    repeated = sorted(set(table.columns[table.columns.duplicated()]) & {"barcode", *COLUMNS})
    if repeated:
        raise bad(path, sample, f"duplicated columns: {', '.join(repeated)}", _EXPECTED)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise bad(path, sample, f"missing columns: {', '.join(missing)}", _EXPECTED)
    numbers = table[list(COLUMNS)].apply(pd.to_numeric, errors="coerce").astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(numbers).all(axis=1) | table["barcode"].isin(["", None]))
    if len(broken):
        lines = ", ".join(str(row + first_line) for row in broken[:5])
        example = table.iloc[broken[0]].tolist()
        raise bad(
            path,
            sample,
            f"text or missing values in {len(broken)} lines (line {lines}), for example {example}",
            "a barcode and five numbers per line",
            "use the original file from Space Ranger",
        )
    in_tissue = numbers[keys.IN_TISSUE]
    array = numbers[[keys.ARRAY_ROW, keys.ARRAY_COL]]
    whole = (array == array.round()) & (array.abs() <= np.iinfo(np.int32).max)
    if not in_tissue.isin([0, 1]).all() or not whole.all(axis=None):
        raise bad(
            path, sample, "in_tissue values other than 0 and 1, or array indices that are not whole numbers", _EXPECTED
        )
    if table.empty:
        raise bad(path, sample, "no positions", _EXPECTED)
    return pd.DataFrame(
        {
            keys.IN_TISSUE: in_tissue.astype(bool).to_numpy(),
            keys.ARRAY_ROW: numbers[keys.ARRAY_ROW].to_numpy().astype(np.int32),
            keys.ARRAY_COL: numbers[keys.ARRAY_COL].to_numpy().astype(np.int32),
            PXL_ROW: numbers[PXL_ROW].to_numpy(),
            PXL_COL: numbers[PXL_COL].to_numpy(),
        },
        index=pd.Index(table["barcode"].astype(str).to_numpy(dtype=object), name="barcode", dtype=object),
    )
