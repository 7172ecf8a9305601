"""Arrays of a Zarr store written again, smaller: without it the store is twice as large as the sample's file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import zarr
from numcodecs import Blosc  # type: ignore[import-untyped]
from numpy.typing import NDArray

_SMALLEST: Final = 1 << 16
"""Bytes; a smaller array is left as it is."""

_ROWS: Final = 1 << 16
_COLUMNS: Final = 64
"""Chunk of a dense matrix: a viewer that asks for one gene reads its column, not the matrix."""


def compact_arrays(store: Path) -> None:
    """Write the large numeric arrays of a store's tables again, in place, without loss.

    Zstandard takes the place of LZ4. A dense matrix gets chunks of whole columns, each column contiguous: genes without
    values (all NaN) then take no room; strewn over the rows they take more than the values do.

    Parameters
    ----------
    store
        Folder of a Zarr v2 store with consolidated metadata.
    """
    tables = zarr.open_group(store, mode="r+", path="tables", zarr_format=2, use_consolidated=False)
    for place, array in _arrays(tables):
        if array.dtype.kind in "iuf" and array.nbytes >= _SMALLEST:
            _write_again(store, f"tables/{place}", array)
    zarr.consolidate_metadata(str(store), zarr_format=2)


def _arrays(group: zarr.Group, prefix: str = "") -> list[tuple[str, zarr.Array]]:
    found = [(f"{prefix}{name}", array) for name, array in group.arrays()]
    for name, inner in group.groups():
        found += _arrays(inner, f"{prefix}{name}/")
    return found


def _write_again(store: Path, place: str, array: zarr.Array) -> None:
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
        order="F" if dense else "C",
        compressors=Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE),
        zarr_format=2,
        overwrite=True,
        attributes=attributes,
    )
    written[...] = values
