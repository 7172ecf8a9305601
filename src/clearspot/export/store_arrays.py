"""Arrays of a Zarr store written again, smaller: without it the store is twice as large as the sample's file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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
    values: NDArray[np.generic] = np.asarray(array[...])
    dense = values.ndim == 2
    chunks = (min(_ROWS, values.shape[0]), min(_COLUMNS, values.shape[1])) if dense else array.chunks
    attributes = dict(array.attrs)
    written = zarr.create_array(
        store,
        name=place,
        shape=values.shape,
        chunks=chunks,
        dtype=values.dtype,
        # a chunk of nothing but this value is not stored
        fill_value=np.nan if values.dtype.kind == "f" else 0,
        zarr_format=zarr_format,
        overwrite=True,
        attributes=attributes,
        **_encoding(dense=dense, zarr_format=zarr_format),
    )
    written[...] = values
