"""The whole sample as SpatialData: table, spots as shapes, and the reduced pictures, in one frame.

Coordinate systems: ``global`` (pixels of the full-resolution image, as ``obsm['spatial']``) and, where the scale is
known, ``um`` (micrometres).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.contract.safe_keys import safe_key, safe_keys
from clearspot.contract.sections import require_one_section
from clearspot.extras import extra
from clearspot.io.atomic import atomic_path
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.scale import CAPTURE_DIAMETER_UM, fit_lattice
from clearspot.record import StepRecord

with extra("spatialdata"):
    import geopandas as gpd
    import shapely
    from spatialdata import SpatialData
    from spatialdata._io.format import SpatialDataContainerFormatV01  # what write()'s own documentation names
    from spatialdata.models import Image2DModel, ShapesModel, TableModel
    from spatialdata.transformations import BaseTransformation, Identity, Scale, Sequence

REGION: Final = "region"
INSTANCE: Final = "spot_id"


def to_spatialdata(adata: ad.AnnData, sample: str) -> SpatialData:
    """Arrange a sample as SpatialData.

    Parameters
    ----------
    adata
        The sample, in the form of the data contract. It is not changed.
    sample
        Sample name; elements are called ``<sample>_spots`` (circles; ``<sample>_bins``: squares, for Visium HD),
        ``<sample>_hires``, ``<sample>_lowres`` and ``table``, with the sample's name as a safe key.

    Returns
    -------
    The sample with every layer, embedding and graph. Pictures stand as images, not in the table.
    """
    require_one_section(adata, sample, "The export")
    sample = safe_key(sample)
    um_per_px = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    library: dict[str, Any] = next(iter(adata.uns.get(keys.UNS_SPATIAL, {}).values()), {})
    factors = library.get("scalefactors", {})
    frames = _frames(Identity(), um_per_px)
    is_hd = adata.uns.get(keys.UNS, {}).get(keys.BIN_SIZE_UM) is not None
    shapes_name = f"{sample}_{'bins' if is_hd else 'spots'}"
    shapes = (
        _bins(adata, factors.get("spot_diameter_fullres", 1.0), frames)
        if is_hd
        else _spots(adata, factors, um_per_px, frames)
    )
    images = {}
    for name, picture in library.get("images", {}).items():
        factor = factors.get(f"tissue_{name}_scalef")
        if factor:
            pixels = np.atleast_3d(np.asarray(picture)).transpose(2, 0, 1)
            to_global = Scale([1 / factor, 1 / factor], axes=("x", "y"))
            images[f"{sample}_{safe_key(name)}"] = Image2DModel.parse(
                pixels, dims=("c", "y", "x"), transformations=_frames(to_global, um_per_px)
            )
    return SpatialData(images=images, shapes={shapes_name: shapes}, tables={"table": _table(adata, shapes_name)})


def write_spatialdata(adata: ad.AnnData, sample: str, path: Path | str) -> StepRecord:
    """Write a sample as a zipped SpatialData store (Zarr v2, which every viewer reads), whole or not at all.

    Parameters
    ----------
    adata, sample
        As in :func:`to_spatialdata`.
    path
        ``<sample>.zarr.zip``; unzipped into a folder it is what ``spatialdata.read_zarr`` reads.

    Returns
    -------
    Record of the step ``spatialdata``.
    """
    path = Path(path)
    with TemporaryDirectory(prefix=".zarr-", dir=path.parent) as folder, atomic_path(path) as partial:
        store = Path(folder) / f"{safe_key(sample)}.zarr"
        to_spatialdata(adata, sample).write(store, sdata_formats=SpatialDataContainerFormatV01())
        # the chunks are compressed already
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            for file in sorted(store.rglob("*")):
                if file.is_file():
                    # one date for all, so that the same sample makes the same bytes
                    entry = zipfile.ZipInfo(str(file.relative_to(store.parent)), date_time=(1980, 1, 1, 0, 0, 0))
                    archive.writestr(entry, file.read_bytes())
    return StepRecord(sample, "spatialdata", metrics={"store_bytes": path.stat().st_size})


def _frames(to_global: BaseTransformation, um_per_px: float | None) -> dict[str, BaseTransformation]:
    frames = {"global": to_global}
    if um_per_px:
        frames["um"] = Sequence([to_global, Scale([um_per_px, um_per_px], axes=("x", "y"))])
    return frames


def _spots(
    adata: ad.AnnData, factors: dict[str, Any], um_per_px: float | None, frames: dict[str, BaseTransformation]
) -> gpd.GeoDataFrame:
    """Circles of the physical spot: Space Ranger's ``spot_diameter_fullres`` is wider than what captures."""
    diameter = CAPTURE_DIAMETER_UM / um_per_px if um_per_px else factors.get("spot_diameter_fullres", 1.0)
    xy: NDArray[np.float64] = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    return ShapesModel.parse(
        xy, geometry=0, radius=diameter / 2, index=adata.obs_names.to_numpy(), transformations=frames
    )


def _bins(adata: ad.AnnData, side_px: float, frames: dict[str, BaseTransformation]) -> gpd.GeoDataFrame:
    """Squares around the bins' centres, turned as their lattice is; along the image's axes for a single row."""
    xy: NDArray[np.float64] = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    positions = adata.obs[[keys.ARRAY_ROW, keys.ARRAY_COL]].assign(**{PXL_COL: xy[:, 0], PXL_ROW: xy[:, 1]})
    lattice = fit_lattice(positions)
    steps = np.eye(2) * side_px if lattice is None else lattice.matrix
    corners = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [0.5, -0.5]]) @ steps.T
    squares = shapely.polygons(xy[:, None, :] + corners[None])
    return ShapesModel.parse(gpd.GeoDataFrame(geometry=squares, index=adata.obs_names), transformations=frames)


def _table(adata: ad.AnnData, shapes_name: str) -> ad.AnnData:
    """The sample without its pictures; arrays are shared with ``adata``, since they are what takes the memory."""
    spatial = {
        safe_key(library): {name: entry for name, entry in content.items() if name != "images"}
        for library, content in adata.uns.get(keys.UNS_SPATIAL, {}).items()
    }
    table = ad.AnnData(
        X=adata.X,
        obs=_safe_columns(adata.obs).assign(
            **{REGION: pd.Categorical([shapes_name] * adata.n_obs), INSTANCE: adata.obs_names.to_numpy()}
        ),
        var=_safe_columns(adata.var),
        layers=dict(adata.layers),
        obsm={
            name: _safe_columns(value) if isinstance(value, pd.DataFrame) else value
            for name, value in adata.obsm.items()
        },
        obsp=dict(adata.obsp),
        uns=dict(adata.uns) | {keys.UNS_SPATIAL: spatial},
    )
    return TableModel.parse(table, region=shapes_name, region_key=REGION, instance_key=INSTANCE)


def _safe_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The table with column names that Zarr and SpatialData accept; ``.h5ad`` files of old versions have others."""
    return table.set_axis(safe_keys(map(str, table.columns)), axis=1)
