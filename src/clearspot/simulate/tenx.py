"""Feature-barcode matrices as Space Ranger writes them: HDF5 (format version 2 of Cell Ranger 3+) and MEX."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from scipy import sparse

from clearspot import keys
from clearspot.io.atomic import atomic_path

_ANTIBODY_TAGS: Final = ("read", "pattern", "sequence")


@dataclass(frozen=True)
class Matrix:
    """One feature-barcode matrix.

    Parameters
    ----------
    counts
        Integer CSR, barcodes x features.
    barcodes
        One a row.
    features
        Indexed by name: ``gene_ids``, ``feature_types``, ``genome``.
    """

    counts: sparse.csr_array
    barcodes: np.ndarray
    features: pd.DataFrame

    def take(self, rows: np.ndarray) -> Matrix:
        """Return some of the barcodes."""
        return Matrix(self.counts[rows], self.barcodes[rows], self.features)


@dataclass(frozen=True)
class Origin:
    """What the file says of its making."""

    library_id: str
    chemistry: str
    software: str
    probe_set: str | None = None


def write_h5(matrix: Matrix, path: Path, origin: Origin) -> None:
    """Write ``*_feature_bc_matrix.h5``."""
    options = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    features = matrix.features
    with atomic_path(path) as partial, h5py.File(partial, "w") as file:
        file.attrs["chemistry_description"] = origin.chemistry
        file.attrs["filetype"] = "matrix"
        file.attrs["library_ids"] = np.array([origin.library_id], dtype="S")
        file.attrs["original_gem_groups"] = np.array([1])
        file.attrs["software_version"] = origin.software
        file.attrs["version"] = 2
        group = file.create_group("matrix")
        group.create_dataset("barcodes", data=matrix.barcodes.astype("S"), **options)
        group.create_dataset("data", data=matrix.counts.data.astype(np.int32), **options)
        group.create_dataset("indices", data=matrix.counts.indices.astype(np.int64), **options)
        group.create_dataset("indptr", data=matrix.counts.indptr.astype(np.int64), **options)
        group.create_dataset("shape", data=np.array(matrix.counts.shape[::-1], dtype=np.int32))
        out = group.create_group("features")
        columns = {
            "id": features["gene_ids"],
            "name": features.index,
            "feature_type": features["feature_types"],
            "genome": features["genome"],
        }
        tags = ["genome"]
        if (features["feature_types"] == keys.ANTIBODY_CAPTURE).any():
            columns |= _antibody_columns(features)
            tags += _ANTIBODY_TAGS
        for name, values in columns.items():
            # A fixed-length string of no characters is not allowed in HDF5: at least one.
            out.create_dataset(name, data=np.asarray(values, dtype=str).astype("S"), **options)
        out.create_dataset("_all_tag_keys", data=np.array(tags, dtype="S"))
        if origin.probe_set:
            targeted = np.flatnonzero(features["feature_types"] == keys.GENE_EXPRESSION)
            out.create_dataset(f"target_sets/{origin.probe_set}", data=targeted.astype(np.uint32), **options)


def _antibody_columns(features: pd.DataFrame) -> dict[str, np.ndarray]:
    antibody = (features["feature_types"] == keys.ANTIBODY_CAPTURE).to_numpy()
    letters = np.array(list("ACGT"))
    sequence = ["".join(letters[(index * 7919 >> 2 * np.arange(15)) & 3]) for index in range(len(features))]
    return {
        "read": np.where(antibody, "R2", ""),
        "pattern": np.where(antibody, "^NNNNNNNNNN(BC)NNNNNNNNN", ""),
        "sequence": np.where(antibody, sequence, ""),
    }


def write_mex(matrix: Matrix, folder: Path, origin: Origin) -> None:
    """Write ``barcodes.tsv.gz``, ``features.tsv.gz`` and ``matrix.mtx.gz`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    features = matrix.features
    _write_gzip(folder / "barcodes.tsv.gz", "".join(f"{barcode}\n" for barcode in matrix.barcodes).encode())
    rows = zip(features["gene_ids"], features.index, features["feature_types"], strict=True)
    _write_gzip(folder / "features.tsv.gz", "".join("\t".join(row) + "\n" for row in rows).encode())
    metadata = json.dumps({"software_version": origin.software, "format_version": 2})
    n_barcodes, n_features = matrix.counts.shape
    header = (
        "%%MatrixMarket matrix coordinate integer general\n"
        f"%metadata_json: {metadata}\n"
        f"{n_features} {n_barcodes} {matrix.counts.nnz}\n"
    )
    entries = matrix.counts.tocoo()
    table = pa.table({"feature": entries.col + 1, "barcode": entries.row + 1, "count": entries.data})
    body = io.BytesIO()
    pyarrow.csv.write_csv(table, body, pyarrow.csv.WriteOptions(include_header=False, delimiter=" "))
    _write_gzip(folder / "matrix.mtx.gz", header.encode() + body.getvalue())


def _write_gzip(path: Path, content: bytes) -> None:
    """Write a gzip file whose bytes depend on nothing but its content."""
    with atomic_path(path) as partial:
        partial.write_bytes(gzip.compress(content, compresslevel=5, mtime=0))
