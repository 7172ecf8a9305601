"""Arrays of a Zarr store written again, smaller: without it the store is twice as large as the sample's file."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np

from clearspot.export.params import ZarrFormat
from clearspot.extras import extra

with extra("spatialdata"):
    import zarr
    from numcodecs import Blosc
    from zarr.codecs import BloscCodec, TransposeCodec

_SMALLEST: Final = 1 << 16
"""Bytes; a smaller array is left as it is."""

_ROWS: Final = 1 << 16
_COLUMNS: Final = 64
"""Chunk of a dense matrix: a viewer that asks for one gene reads its column, not the matrix."""

_AT_ONCE: Final = 1 << 28
"""Bytes of an array that are in memory at once; a single row of chunks may have more."""


def compact_arrays(store: Path, zarr_format: ZarrFormat) -> None:
    """Write the large numeric arrays of a store's tables again, in place, without loss.

    Zstandard takes the place of LZ4. A dense matrix gets chunks of whole columns, each column contiguous: genes without
    values (all NaN) then take no room; strewn over the rows they take more than the values do. Shards, which anndata
    may have made, are resolved into their chunks: a zipped store is one file already.

    Parameters
    ----------
    store
        Folder of a Zarr store with consolidated metadata.
    zarr_format
        Its Zarr format, 2 or 3.
    """
    tables = zarr.open_group(store, mode="r+", path="tables", zarr_format=zarr_format, use_consolidated=False)
    for place, array in _arrays(tables):
        if array.dtype.kind in "iuf" and array.nbytes >= _SMALLEST:
            _write_again(store, f"tables/{place}", array, zarr_format)
    with warnings.catch_warnings():
        # not in the specification of version 3, but what SpatialData writes and reads
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(str(store), zarr_format=zarr_format)


def _arrays(group: zarr.Group, prefix: str = "") -> list[tuple[str, zarr.Array[Any]]]:
    found = [(f"{prefix}{name}", array) for name, array in group.arrays()]
    for name, inner in group.groups():
        found += _arrays(inner, f"{prefix}{name}/")
    return found


def _encoding(*, dense: bool, zarr_format: ZarrFormat) -> dict[str, Any]:
    """Compression and order; version 3 states the order of a chunk's values by a codec."""
    if zarr_format == 2:
        blosc = Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE)
        return {"compressors": blosc, "order": "F" if dense else "C"}
    return {
        "compressors": BloscCodec(cname="zstd", clevel=5, shuffle="shuffle"),
        "filters": [TransposeCodec(order=(1, 0))] if dense else [],
    }


def _write_again(store: Path, place: str, array: zarr.Array[Any], zarr_format: ZarrFormat) -> None:
    """Copy an array to a new one on disk, a few chunks at a time, and put that in its place."""
    dense = array.ndim == 2
    chunks = (min(_ROWS, array.shape[0]), min(_COLUMNS, array.shape[1])) if dense else array.chunks
    beside = f"{place}.compact"
    written = zarr.create_array(
        store,
        name=beside,
        shape=array.shape,
        chunks=chunks,
        dtype=array.dtype,
        # a chunk of nothing but this value is not stored
        fill_value=np.nan if array.dtype.kind == "f" else 0,
        zarr_format=zarr_format,
        attributes=dict(array.attrs),
        **_encoding(dense=dense, zarr_format=zarr_format),
    )
    rows = _rows_at_once(array, chunks)
    for start in range(0, array.shape[0], rows):
        written[start : start + rows] = array[start : start + rows]
    shutil.rmtree(store / place)
    (store / beside).rename(store / place)


def _rows_at_once(array: zarr.Array[Any], chunks: tuple[int, ...]) -> int:
    """Rows that are copied at once: whole chunks, at least one of them."""
    of_a_row = array.nbytes // array.shape[0]
    return max(_AT_ONCE // max(of_a_row * chunks[0], 1), 1) * chunks[0]
