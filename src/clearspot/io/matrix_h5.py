"""Feature-barcode matrices in 10x's HDF5 layouts, versions 2 and 3."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from clearspot import keys
from clearspot.io.feature_matrix import BarcodeTotals, FeatureMatrix, as_counts, canonical
from clearspot.io.feature_table import feature_table
from clearspot.io.reading import bad, is_gzip, reading
from clearspot.io.sparse_sums import add_to_rows
from clearspot.record import Message

_EXPECTED = "a feature-barcode matrix in 10x's HDF5 format"
_PARTS = {"barcodes", "data", "indices", "indptr", "shape"}
_CHUNK = 4 * 1024 * 1024
_MAX_DEFLATE = 1100
"""Deflate packs at most 1032:1; a dataset that claims more than this was never written."""


def read_h5(path: Path, sample: str) -> FeatureMatrix:
    """Read a 10x ``.h5`` file; see :func:`clearspot.io.matrix.read_matrix`."""
    with _open(path, sample) as h5:
        groups = _groups(h5, path, sample)
        blocks = [_read_counts(group, path, sample) for group in groups]
        barcodes = _barcodes(groups[0])
        if any(not _barcodes(group).equals(barcodes) for group in groups[1:]):
            raise bad(path, sample, "genomes with different barcodes", _EXPECTED)
        tables, messages = zip(*(_features(group, path, sample) for group in groups), strict=True)
        return FeatureMatrix(
            counts=blocks[0] if len(blocks) == 1 else hstack(blocks, format="csr"),
            barcodes=barcodes,
            features=pd.concat(tables, ignore_index=True),
            library_ids=tuple(_names(h5.attrs.get("library_ids"))),
            software_version=_first_text(h5.attrs.get("software_version")),
            chemistry=_first_text(h5.attrs.get("chemistry_description")),
            messages=tuple(dict.fromkeys(message for some in messages for message in some)),
        )


def read_h5_totals(path: Path, sample: str) -> BarcodeTotals:
    """Sum each barcode's gene expression counts, chunk by chunk."""
    with _open(path, sample) as h5:
        groups = _groups(h5, path, sample)
        barcodes = _barcodes(groups[0])
        totals = np.zeros(len(barcodes), dtype=np.int64)
        for group in groups:
            indptr, nnz = _indptr(group, path, sample)
            if len(indptr) != len(totals) + 1:
                raise bad(path, sample, "genomes with different barcodes", _EXPECTED)
            types = _features(group, path, sample)[0][keys.FEATURE_TYPES].to_numpy()
            genes = None if (types == keys.GENE_EXPRESSION).all() else types == keys.GENE_EXPRESSION
            for start, stop in _chunks(nnz):
                values = as_counts(group["data"][start:stop], path, sample).astype(np.int64)
                if genes is not None:
                    values *= genes[_checked_indices(group["indices"][start:stop], len(genes), path, sample)]
                add_to_rows(totals, values, indptr, start)
        return BarcodeTotals(barcodes, totals)


def h5_size(path: Path, sample: str) -> tuple[int, int, int]:
    """Number of features, barcodes and stored entries."""
    with _open(path, sample) as h5:
        groups = _groups(h5, path, sample)
        features = sum(int(group["shape"][0]) for group in groups)
        return features, int(groups[0]["shape"][1]), sum(int(group["data"].shape[0]) for group in groups)


@contextmanager
def _open(path: Path, sample: str) -> Iterator[h5py.File]:
    with reading(path, sample, _EXPECTED), ExitStack() as stack:
        if is_gzip(path):
            plain = stack.enter_context(TemporaryFile())
            with gzip.open(path, "rb") as packed:
                shutil.copyfileobj(packed, plain, 1024 * 1024)
            yield stack.enter_context(h5py.File(plain, "r"))
        else:
            yield stack.enter_context(h5py.File(path, "r"))


def _groups(h5: h5py.File, path: Path, sample: str) -> list[h5py.Group]:
    """The one group of version 3, or one for each genome of version 2."""
    named = [h5["matrix"]] if "matrix" in h5 else list(h5.values())
    groups = [group for group in named if isinstance(group, h5py.Group) and set(group) >= _PARTS]
    if not groups:
        entries = ", ".join(sorted(h5)[:6]) or "nothing"
        raise bad(path, sample, f"an HDF5 file without a 10x matrix, which contains {entries}", _EXPECTED)
    for group in groups:
        _require_whole(h5, group, path, sample)
    if "features" in groups[0] and "filtered_probes" in groups[0]["features"]:
        raise bad(
            path, sample, "a matrix of probes", "a matrix of features", "provide filtered_feature_bc_matrix.h5 instead"
        )
    return groups


def _require_whole(h5: h5py.File, group: h5py.Group, path: Path, sample: str) -> None:
    """Refuse datasets that claim more than was written, before they are read, and those that lie in other files."""
    tables = [group, group["features"]] if isinstance(group.get("features"), h5py.Group) else [group]
    for table in tables:
        for name, dataset in table.items():
            if dataset.file.filename != h5.filename:
                raise bad(path, sample, f"'{name}' is stored in another file", _EXPECTED)
            if not isinstance(dataset, h5py.Dataset):
                continue
            if dataset.external or dataset.is_virtual:
                raise bad(path, sample, f"'{name}' is stored in another file", _EXPECTED)
            if dataset.nbytes > _MAX_DEFLATE * dataset.id.get_storage_size():
                raise bad(path, sample, f"'{name}' is incomplete", _EXPECTED)


def _read_counts(group: h5py.Group, path: Path, sample: str) -> csr_matrix:
    n_features, n_barcodes = (int(side) for side in group["shape"][:])
    indptr, nnz = _indptr(group, path, sample)
    data = np.empty(nnz, dtype=np.int32)
    indices = np.empty(nnz, dtype=np.int32)
    for start, stop in _chunks(nnz):
        data[start:stop] = as_counts(group["data"][start:stop], path, sample)
        indices[start:stop] = _checked_indices(group["indices"][start:stop], n_features, path, sample)
    if nnz <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    return canonical(csr_matrix((data, indices, indptr), shape=(n_barcodes, n_features), copy=False))


def _indptr(group: h5py.Group, path: Path, sample: str) -> tuple[NDArray[np.int64], int]:
    """Row pointers, after checking that they, the entries and the shape fit together."""
    n_features, n_barcodes = (int(side) for side in group["shape"][:])
    nnz = int(group["data"].shape[0])
    indptr = group["indptr"][:].astype(np.int64)
    fits = (
        n_features > 0
        and n_barcodes > 0
        and len(group["barcodes"]) == n_barcodes
        and len(group["indices"]) == nnz
        and len(indptr) == n_barcodes + 1
        and indptr[0] == 0
        and indptr[-1] == nnz
        and bool((np.diff(indptr) >= 0).all())
    )
    if not fits:
        raise bad(path, sample, "a matrix with inconsistent shape, barcodes and entries", _EXPECTED)
    return indptr, nnz


def _checked_indices(indices: NDArray[Any], n_features: int, path: Path, sample: str) -> NDArray[Any]:
    if indices.size and (indices.min() < 0 or indices.max() >= n_features):
        raise bad(path, sample, "entries for features that are not in the feature list", _EXPECTED)
    return indices


def _chunks(nnz: int) -> Iterator[tuple[int, int]]:
    for start in range(0, nnz, _CHUNK):
        yield start, min(start + _CHUNK, nnz)


def _barcodes(group: h5py.Group) -> pd.Index:
    return pd.Index(_texts(group["barcodes"][:]))


def _features(group: h5py.Group, path: Path, sample: str) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    if "features" in group:
        table = group["features"]
        columns = {name: _names(table[name][:]) for name in ("id", "name", "feature_type", "genome") if name in table}
        ids, symbols = columns["id"], columns.get("name")
        types, genomes = columns.get("feature_type"), columns.get("genome")
    else:
        ids, symbols, types = _names(group["genes"][:]), _names(group["gene_names"][:]), None
        genomes = np.full(len(ids), group.name.strip("/"), dtype=object)
    features, messages = feature_table(ids, symbols, types, genomes)
    if len(features) != int(group["shape"][0]):
        raise bad(path, sample, "a matrix with inconsistent shape and feature list", _EXPECTED)
    return features, messages


def _texts(values: Any) -> NDArray[np.object_]:
    """Decode text of any HDF5 string type."""
    if values is None:
        return np.empty(0, dtype=object)
    array = np.atleast_1d(values)
    if array.dtype.kind == "S":
        try:
            return array.astype(np.str_).astype(object)  # many times faster, but for ASCII alone
        except UnicodeDecodeError:
            return np.char.decode(array, "utf-8").astype(object)
    texts = [value.decode() if isinstance(value, bytes) else str(value) for value in array.tolist()]
    return np.array(texts, dtype=object)


def _names(values: Any) -> NDArray[np.object_]:
    """Decode names, in which no file to be written can hold a zero byte."""
    texts = _texts(values)
    if any("\0" in text for text in texts):
        raise ValueError("zero bytes within names")
    return texts


def _first_text(values: Any) -> str | None:
    texts = _names(values)
    return str(texts[0]) if len(texts) else None
