"""The two lists beside a Matrix Market file: barcodes.tsv and features.tsv (genes.tsv)."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

import pandas as pd

from clearspot.io.reading import bad, open_binary, reading

_COLUMN_NAMES: Final = {
    *("x", "v1", "id", "ids", "gene", "genes", "gene_id", "gene_ids", "gene_name", "symbol", "feature", "features"),
    *(
        "feature_id",
        "ensembl_id",
        "ensembl_gene_id",
        "barcode",
        "barcodes",
        "cell",
        "cells",
        "cell_id",
        "spot",
        "spots",
    ),
}
"""First cells of a header; Space Ranger writes none, R and pandas do."""

_MEND: Final = "write the file again in UTF-8 with tab-separated columns, as Space Ranger does"


def read_mex_list(path: Path, sample: str, expected: str) -> pd.DataFrame:
    """Read a list as text, column by column, with whatever it has for a header still in it.

    Quotation marks are part of a name (``5"-NT``), unless they enclose every cell of a column as R writes them.

    Raises
    ------
    BadInputError
        The file cannot be read as a table of UTF-8 text separated by tabs.
    """
    with reading(path, sample, expected), open_binary(path) as file:
        content = file.read()
        if b"\0" in content:  # pandas would end each cell there
            raise bad(path, sample, "zero bytes between characters (UTF-16, or a damaged file)", "text in UTF-8", _MEND)
        table = pd.read_csv(
            io.BytesIO(content),
            sep="\t",
            header=None,
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            encoding="utf-8-sig",
        )
    for column in table:
        if _is_quoted(table[column].iloc[:1]) and _is_quoted(table[column]):
            table[column] = table[column].str[1:-1]
    return table


def without_header(table: pd.DataFrame, n_expected: int) -> pd.DataFrame:
    """Leave out the first line if it is one too many and names columns."""
    has_header = len(table) == n_expected + 1 and str(table[0].iloc[0]).strip().lower() in _COLUMN_NAMES
    return table.iloc[1:].reset_index(drop=True) if has_header else table


def require_columns(table: pd.DataFrame, path: Path, sample: str) -> None:
    """Refuse a list of features whose columns are not separated by tabs.

    Raises
    ------
    BadInputError
        Naming the separator.
    """
    if table.shape[1] > 1:
        return
    for separator, name in ((",", "commas"), (";", "semicolons"), (" ", "spaces")):
        if table[0].str.contains(separator, regex=False).mean() > 0.5:
            expected = "one feature per line, with id, symbol and type separated by tabs"
            raise bad(path, sample, f"columns separated by {name}", expected, _MEND)


def _is_quoted(cells: pd.Series) -> bool:
    return bool((cells.str.startswith('"') & cells.str.endswith('"') & (cells.str.len() > 1)).all())
