"""Feature-barcode matrices as Matrix Market files: matrix.mtx, barcodes.tsv, features.tsv (genes.tsv)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv
from scipy.sparse import coo_matrix, csr_matrix

from clearspot import keys
from clearspot.io import naming
from clearspot.io.feature_matrix import FeatureMatrix, as_counts, canonical
from clearspot.io.feature_table import feature_table
from clearspot.io.mex_lists import read_mex_list, require_columns, without_header
from clearspot.io.reading import bad, open_binary, reading
from clearspot.io.single_spaces import SingleSpaces, has_other_spaces
from clearspot.record import Message

_EXPECTED = "a count matrix in Matrix Market coordinate format"
_WRITE_AGAIN = (
    "write it again with Space Ranger, Matrix::writeMM (R) or scipy.io.mmwrite (Python), with counts as whole numbers"
)
_BLOCK = 4 * 1024 * 1024
_MAX_DEFLATE = 1100
_LOOKED_AT = 64 * 1024
_GENOME_PREFIX = re.compile(r"^(?P<genome>[A-Za-z0-9.-]+?)_+ENS[A-Z]*G\d")


@dataclass(frozen=True)
class _Header:
    """What stands before the entries of a Matrix Market file."""

    field: str
    symmetry: str
    n_rows: int
    n_columns: int
    nnz: int
    software_version: str | None


def read_mex(path: Path, sample: str) -> FeatureMatrix:
    """Read MEX files; see :func:`clearspot.io.matrix.read_matrix`."""
    mtx, barcodes_file, features_file = _files(path, sample)
    header = _read_header(mtx, sample)
    barcodes = without_header(read_mex_list(barcodes_file, sample, "one barcode per line"), header.n_columns)
    table = read_mex_list(features_file, sample, "one feature per line: id, symbol, type")
    require_columns(table, features_file, sample)
    table = without_header(table, header.n_rows)
    _require_fit(header, len(table), len(barcodes), mtx, sample)
    features, messages = _features(table, features_file)
    return FeatureMatrix(
        counts=_read_counts(mtx, header, sample),
        barcodes=pd.Index(barcodes[0].to_numpy(), dtype=object),
        features=features,
        software_version=header.software_version,
        messages=messages,
    )


def mex_size(path: Path, sample: str) -> tuple[int, int, int]:
    """Number of features, barcodes and stored entries, as the header states them."""
    header = _read_header(_files(path, sample)[0], sample)
    return header.n_rows, header.n_columns, header.nnz


def _files(path: Path, sample: str) -> tuple[Path, Path, Path]:
    """The matrix and its two lists, which share a prefix where they lie flattened among other files."""
    folder = path if path.is_dir() else path.parent
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    mtx = path.name if not path.is_dir() else next((name for name in names if naming.MTX.match(name)), "matrix.mtx.gz")
    match = naming.MTX.match(mtx)
    prefix = match["prefix"] if match else ""
    lists = []
    for stems in (("barcodes",), ("features", "genes")):
        wanted = [f"{prefix}{stem}.tsv{end}" for stem in stems for end in (".gz", "")]
        found = next((name for name in wanted if name in names), None)
        if found is None:
            mend = "copy all three MEX files of the same Space Ranger run"
            raise bad(folder / wanted[0], sample, "no such file", " or ".join(wanted), mend)
        lists.append(folder / found)
    return folder / mtx, lists[0], lists[1]


def _require_fit(header: _Header, n_features: int, n_barcodes: int, mtx: Path, sample: str) -> None:
    size = (header.n_rows, header.n_columns)
    if size == (n_features, n_barcodes):
        return
    found = f"a matrix of {size[0]} x {size[1]}, but {n_features} features and {n_barcodes} barcodes"
    mend = "use the three files of the same Space Ranger run"
    if size == (n_barcodes, n_features):
        found, mend = f"{found}: it is transposed", "write the matrix with features as rows and barcodes as columns"
    raise bad(mtx, sample, found, "as many rows as features and as many columns as barcodes", mend)


def _features(table: pd.DataFrame, file: Path) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    symbols, types = (table[column].to_numpy() if column in table else None for column in (1, 2))
    features, messages = feature_table(table[0].to_numpy(), symbols, types, None)
    # MEX states no genome, but with two of them every id is written GENOME_ENSG...
    prefixes = [_GENOME_PREFIX.match(identifier) for identifier in features[keys.GENE_IDS]]
    features[keys.GENOME] = np.array([match["genome"] if match else "" for match in prefixes], dtype=object)
    if symbols is None:
        messages += (Message("warning", f"{file.name} has only one column, which was used as gene ids and symbols."),)
    return features, messages


def _read_header(path: Path, sample: str) -> _Header:
    with reading(path, sample, _EXPECTED), open_binary(path) as file:
        return _parse_header(file, path, sample)


def _parse_header(file: IO[bytes], path: Path, sample: str) -> _Header:
    words = file.readline(1000).decode("utf-8-sig").lower().split()
    if len(words) != 5 or words[0] != "%%matrixmarket" or words[2] != "coordinate":
        raise bad(path, sample, f"a file that begins with {' '.join(words)[:60]!r}", _EXPECTED, _WRITE_AGAIN)
    version = None
    while (line := file.readline(100_000).decode()).startswith("%") or line.isspace():
        if "metadata_json:" in line:
            with suppress(ValueError, AttributeError):
                version = json.loads(line.split("metadata_json:", 1)[1]).get("software_version")
    n_rows, n_columns, nnz = (int(word) for word in line.split())
    return _Header(words[3], words[4], n_rows, n_columns, nnz, version)


def _read_counts(path: Path, header: _Header, sample: str) -> csr_matrix:
    """Read the entries block by block.

    Arrow's CSV reader is used because SciPy's ``mmread``, though as fast, ends the whole process where a gzip stream
    is cut short.
    """
    shape = (header.n_columns, header.n_rows)
    if header.nnz == 0:
        return csr_matrix(shape, dtype=np.int32)
    if header.field not in ("integer", "real") or header.symmetry != "general":
        raise bad(
            path, sample, f"a matrix of kind '{header.field} {header.symmetry}'", "kind 'integer general'", _WRITE_AGAIN
        )
    if header.nnz > min(header.n_rows * header.n_columns, path.stat().st_size * _MAX_DEFLATE):
        raise bad(path, sample, f"{header.nnz} entries, more than fit in the matrix or the file", _EXPECTED)
    columns = np.empty(header.nnz, dtype=np.int32)
    rows, values = np.empty_like(columns), np.empty_like(columns)
    with reading(path, sample, _EXPECTED), open_binary(path) as file:
        _parse_header(file, path, sample)
        stop = 0
        for batch in _batches(file, header.field):
            start, stop = stop, stop + batch.num_rows
            if stop > header.nnz:
                break
            row, column, value = (part.to_numpy(zero_copy_only=False) for part in batch.columns)
            rows[start:stop] = _checked_places(row, header.n_rows, path, sample)
            columns[start:stop] = _checked_places(column, header.n_columns, path, sample)
            values[start:stop] = as_counts(value, path, sample)
        if stop != header.nnz:
            raise bad(path, sample, f"{stop} entries or more, but {header.nnz} in the header", _EXPECTED)
    if (columns[1:] >= columns[:-1]).all():  # as Space Ranger writes them: the entries are a CSR matrix already
        indptr = np.searchsorted(columns, np.arange(header.n_columns + 1))
        if header.nnz <= np.iinfo(np.int32).max:
            indptr = indptr.astype(np.int32)
        return canonical(csr_matrix((values, rows, indptr), shape=shape, copy=False))
    return canonical(coo_matrix((values, (columns, rows)), shape=shape).tocsr())


def _batches(file: IO[bytes], field: str) -> Iterator[pa.RecordBatch]:
    # R writes 100000 as 1e+05, in the places too
    number = pa.int64() if field == "integer" else pa.float64()
    types = {"row": number, "column": number, "value": number}
    start = file.tell()
    looked_at = file.read(_LOOKED_AT)
    file.seek(start)
    return csv.open_csv(
        SingleSpaces(file) if has_other_spaces(looked_at) else file,
        read_options=csv.ReadOptions(column_names=list(types), block_size=_BLOCK),
        parse_options=csv.ParseOptions(delimiter=" "),
        convert_options=csv.ConvertOptions(column_types=types, null_values=["nan", "NaN"]),
    )


def _checked_places(places: NDArray[Any], n: int, path: Path, sample: str) -> NDArray[np.int64]:
    """Matrix Market counts from 1."""
    whole = places.dtype.kind == "i" or bool((places == np.rint(places)).all())
    if not whole or places.min() < 1 or places.max() > n:
        raise bad(path, sample, "entries outside the matrix", _EXPECTED)
    return places.astype(np.int64, copy=False) - 1
