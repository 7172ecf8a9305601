"""The whole sample as SpatialData: table, spots as shapes, super-resolved bins and the reduced pictures, in one frame.

Coordinate systems: ``global`` (pixels of the full-resolution image, as ``obsm['spatial']``) and, where the scale is
known, ``um`` (micrometres).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, get_args

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, issparse

from clearspot import keys
from clearspot.contract.safe_keys import safe_key, safe_keys
from clearspot.contract.sections import require_one_section
from clearspot.export.cell_shapes import cell_shapes
from clearspot.export.frames import frames
from clearspot.export.params import ExportParams, ZarrFormat
from clearspot.export.store_arrays import compact_arrays
from clearspot.export.superres_elements import superres_elements
from clearspot.extras import extra
from clearspot.io.atomic import atomic_path
from clearspot.io.plain_text import plain_text
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.scale import CAPTURE_DIAMETER_UM, fit_lattice
from clearspot.record import StepRecord

with extra("spatialdata"):
    import geopandas as gpd
    import shapely
    from spatialdata import SpatialData, SpatialDataFormatType
    from spatialdata.models import Image2DModel, ShapesModel, TableModel
    from spatialdata.transformations import BaseTransformation, Identity, Scale

REGION: Final = "region"
INSTANCE: Final = "spot_id"

_CONTAINERS: Final = {2: "SpatialDataContainerFormatV01", 3: "SpatialDataContainerFormatV02"}
"""SpatialData's formats by the version of Zarr that they are written in."""

TABLE: Final = "table"
SUPERRES_TABLE: Final = "superres"


@dataclass(frozen=True)
class ElementNames:
    """Names of the elements of a sample's store.

    Parameters
    ----------
    sample
        Sample name; the elements have it as a safe key.
    unit
        What the observations are.
    """

    sample: str
    unit: Literal["spots", "bins", "cells"]

    @property
    def are_polygons(self) -> bool:
        """Whether the shapes are polygons; spots are circles."""
        return self.unit != "spots"

    @property
    def shapes(self) -> str:
        """Spots (circles), bins of Visium HD (squares) or segmented cells (polygons)."""
        return f"{safe_key(self.sample)}_{self.unit}"

    @property
    def nuclei(self) -> str:
        """Nuclei of segmented cells (polygons)."""
        return f"{safe_key(self.sample)}_nuclei"

    @property
    def superres(self) -> str:
        """Labels of the super-resolved bins."""
        return f"{safe_key(self.sample)}_superres"

    def image(self, name: str) -> str:
        """A picture, by Space Ranger's name of it."""
        return f"{safe_key(self.sample)}_{safe_key(name)}"

    @classmethod
    def of(cls, adata: ad.AnnData, sample: str) -> ElementNames:
        """Names for a sample in the form of the data contract."""
        about = adata.uns.get(keys.UNS, {})
        if keys.OUTLINES in about:
            return cls(sample, "cells")
        return cls(sample, "spots" if about.get(keys.BIN_SIZE_UM) is None else "bins")


def to_spatialdata(adata: ad.AnnData, sample: str, superres: Path | None = None) -> SpatialData:
    """Arrange a sample as SpatialData.

    Parameters
    ----------
    adata
        The sample, in the form of the data contract. It is not changed.
    sample
        Sample name; elements are called ``<sample>_spots`` (circles; for Visium HD ``<sample>_bins``, squares, or
        ``<sample>_cells`` and ``<sample>_nuclei``, outlines),
        ``<sample>_hires``, ``<sample>_lowres`` and ``table``, with the sample's name as a safe key.
    superres
        ``<sample>.superres.h5ad``, for the labels ``<sample>_superres`` and the table ``superres``.

    Returns
    -------
    The sample with every layer, embedding and graph. Pictures stand as images, not in the table. ``X`` is by column
    (CSC), since viewers read genes.
    """
    require_one_section(adata, sample, "The export")
    names = ElementNames.of(adata, sample)
    um_per_px = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    library: dict[str, Any] = next(iter(adata.uns.get(keys.UNS_SPATIAL, {}).values()), {})
    factors = library.get("scalefactors", {})
    of_pixels = frames(Identity(), um_per_px)
    if names.unit == "cells":
        shapes = cell_shapes(adata, names.shapes, names.nuclei, of_pixels)
    elif names.unit == "bins":
        shapes = {names.shapes: _bins(adata, factors.get("spot_diameter_fullres", 1.0), of_pixels)}
    else:
        shapes = {names.shapes: _spots(adata, factors, um_per_px, of_pixels)}
    images = {}
    for name, picture in library.get("images", {}).items():
        factor = factors.get(f"tissue_{name}_scalef")
        if factor:
            pixels = np.atleast_3d(np.asarray(picture)).transpose(2, 0, 1)
            to_global = Scale([1 / factor, 1 / factor], axes=("x", "y"))
            images[names.image(name)] = Image2DModel.parse(
                pixels, dims=("c", "y", "x"), transformations=frames(to_global, um_per_px)
            )
    labels, tables = {}, {TABLE: _table(adata, names.shapes)}
    if superres is not None:
        labels[names.superres], tables[SUPERRES_TABLE] = superres_elements(superres, names.superres)
    return SpatialData(images=images, labels=labels, shapes=shapes, tables=tables)


def write_spatialdata(
    adata: ad.AnnData,
    sample: str,
    path: Path | str,
    superres: Path | None = None,
    params: ExportParams | None = None,
) -> StepRecord:
    """Write a sample as a zipped SpatialData store, whole or not at all.

    Parameters
    ----------
    adata, sample, superres
        As in :func:`to_spatialdata`.
    path
        ``<sample>.zarr.zip``. The store is at the root of the archive, where Zarr's own ``ZipStore`` and Vitessce read
        it. ``spatialdata.read_zarr`` reads folders only: unzip it into one.
    params
        Settings. ``None``: the defaults.

    Returns
    -------
    Record of the step ``spatialdata``.
    """
    path = Path(path)
    zarr_format: ZarrFormat = 3 if (params or ExportParams()).zarr_format == 3 else 2
    with TemporaryDirectory(prefix=".zarr-", dir=path.parent) as folder, atomic_path(path) as partial:
        store = Path(folder) / f"{safe_key(sample)}.zarr"
        with plain_text():
            to_spatialdata(adata, sample, superres).write(store, sdata_formats=_container(zarr_format))
        compact_arrays(store, zarr_format)
        # the chunks are compressed already
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(store.rglob("*")):
                if file.is_file():
                    # one date for all, so that the same sample makes the same bytes
                    entry = zipfile.ZipInfo(str(file.relative_to(store)), date_time=(1980, 1, 1, 0, 0, 0))
                    archive.writestr(entry, file.read_bytes())
                    file.unlink()  # the store is on disk once, not twice
    return StepRecord(sample, "spatialdata", metrics={"store_bytes": path.stat().st_size})


def _container(zarr_format: ZarrFormat) -> SpatialDataFormatType:
    """SpatialData's format for a version of Zarr; it makes public the union of all formats, not each by its name."""
    return next(known for known in get_args(SpatialDataFormatType) if known.__name__ == _CONTAINERS[zarr_format])()


def _spots(
    adata: ad.AnnData, factors: dict[str, Any], um_per_px: float | None, into: dict[str, BaseTransformation]
) -> gpd.GeoDataFrame:
    """Circles of the physical spot: Space Ranger's ``spot_diameter_fullres`` is wider than what captures."""
    diameter = CAPTURE_DIAMETER_UM / um_per_px if um_per_px else factors.get("spot_diameter_fullres", 1.0)
    xy: NDArray[np.float64] = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    return ShapesModel.parse(
        xy, geometry=0, radius=diameter / 2, index=adata.obs_names.to_numpy(), transformations=into
    )


def _bins(adata: ad.AnnData, side_px: float, into: dict[str, BaseTransformation]) -> gpd.GeoDataFrame:
    """Squares around the bins' centres, turned as their lattice is; along the image's axes for a single row."""
    xy: NDArray[np.float64] = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    positions = adata.obs[[keys.ARRAY_ROW, keys.ARRAY_COL]].assign(**{PXL_COL: xy[:, 0], PXL_ROW: xy[:, 1]})
    lattice = fit_lattice(positions)
    steps = np.eye(2) * side_px if lattice is None else lattice.matrix
    corners = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]]) @ steps.T
    squares = shapely.polygons(xy[:, None, :] + corners[None])
    return ShapesModel.parse(gpd.GeoDataFrame(geometry=squares, index=adata.obs_names), transformations=into)


def _table(adata: ad.AnnData, shapes_name: str) -> ad.AnnData:
    """The sample without its pictures; arrays are shared with ``adata``, since they are what takes the memory."""
    spatial = {
        safe_key(library): {name: entry for name, entry in content.items() if name != "images"}
        for library, content in adata.uns.get(keys.UNS_SPATIAL, {}).items()
    }
    uns = dict(adata.uns) | {keys.UNS_SPATIAL: spatial}
    if keys.OUTLINES in uns.get(keys.UNS, {}):  # they are shapes of the store
        uns[keys.UNS] = {name: entry for name, entry in uns[keys.UNS].items() if name != keys.OUTLINES}
    table = ad.AnnData(
        X=csc_matrix(adata.X) if issparse(adata.X) else adata.X,
        obs=_safe_columns(adata.obs).assign(
            **{REGION: pd.Categorical([shapes_name] * adata.n_obs), INSTANCE: adata.obs_names.to_numpy()}
        ),
        var=_safe_columns(adata.var),
        # anndata 0.13 lists X among the layers, under None
        layers={name: layer for name, layer in adata.layers.items() if name is not None},
        obsm={
            name: _safe_columns(value) if isinstance(value, pd.DataFrame) else value
            for name, value in adata.obsm.items()
        },
        obsp=dict(adata.obsp),
        uns=uns,
    )
    return TableModel.parse(table, region=shapes_name, region_key=REGION, instance_key=INSTANCE)


def _safe_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The table with column names that Zarr and SpatialData accept; ``.h5ad`` files of old versions have others."""
    return table.set_axis(safe_keys(map(str, table.columns)), axis=1)
