"""A SpatialData object as a zipped Zarr store."""

from __future__ import annotations

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, get_args

from clearspot.contract.safe_keys import safe_key
from clearspot.export.params import ExportParams, ZarrFormat
from clearspot.export.store_arrays import compact_arrays
from clearspot.extras import extra
from clearspot.io.atomic import atomic_path
from clearspot.io.plain_text import plain_text

with extra("spatialdata"):
    from spatialdata import SpatialData, SpatialDataFormatType

_CONTAINERS: Final = {2: "SpatialDataContainerFormatV01", 3: "SpatialDataContainerFormatV02"}
"""SpatialData's formats by the version of Zarr that they are written in."""


def write_zipped(data: SpatialData, name: str, path: Path, params: ExportParams | None = None) -> None:
    """Write SpatialData as a zipped store, whole or not at all.

    Parameters
    ----------
    data
        What is written.
    name
        Name of the sample or study.
    path
        ``<name>.zarr.zip``. The store is at the root of the archive, where Zarr's own ``ZipStore`` and Vitessce read
        it. ``spatialdata.read_zarr`` reads folders only: unzip it into one.
    params
        Settings. ``None``: the defaults.
    """
    zarr_format: ZarrFormat = 3 if (params or ExportParams()).zarr_format == 3 else 2
    with TemporaryDirectory(prefix=".zarr-", dir=path.parent) as folder, atomic_path(path) as partial:
        store = Path(folder) / f"{safe_key(name)}.zarr"
        with plain_text():
            data.write(store, sdata_formats=_container(zarr_format))
        compact_arrays(store, zarr_format)
        # the chunks are compressed already
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(store.rglob("*")):
                if file.is_file():
                    # one date for all, so that the same sample makes the same bytes
                    entry = zipfile.ZipInfo(str(file.relative_to(store)), date_time=(1980, 1, 1, 0, 0, 0))
                    archive.writestr(entry, file.read_bytes())
                    file.unlink()  # the store is on disk once, not twice


def _container(zarr_format: ZarrFormat) -> SpatialDataFormatType:
    """SpatialData's format for a version of Zarr; it makes public the union of all formats, not each by its name."""
    return next(known for known in get_args(SpatialDataFormatType) if known.__name__ == _CONTAINERS[zarr_format])()
