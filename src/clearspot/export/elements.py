"""Elements of a SpatialData store: shapes of the observations, reduced pictures, and the table of the shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, issparse

from clearspot import keys
from clearspot.contract.safe_keys import safe_key, safe_keys
from clearspot.export.cell_shapes import cell_shapes
from clearspot.export.frames import frames
from clearspot.export.library import library_of
from clearspot.extras import extra
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.scale import CAPTURE_DIAMETER_UM, fit_lattice

with extra("spatialdata"):
    import geopandas as gpd
    import shapely
    from spatialdata.models import Image2DModel, ShapesModel, TableModel
    from spatialdata.transformations import BaseTransformation, Identity, Scale
    from xarray import DataArray

REGION: Final = "region"
INSTANCE: Final = "spot_id"

TABLE: Final = "table"


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


def section_shapes(adata: ad.AnnData, names: ElementNames) -> dict[str, gpd.GeoDataFrame]:
    """Make the shapes of a section's observations.

    Parameters
    ----------
    adata
        Section in the form of the data contract.
    names
        Names of its elements.

    Returns
    -------
    Circles of spots, squares of bins, or outlines of cells and of their nuclei, in the coordinate systems of
    :func:`clearspot.export.frames.frames`.
    """
    um_per_px = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL)
    factors, of_pixels = library_of(adata).get("scalefactors", {}), frames(Identity(), um_per_px)
    if names.unit == "cells":
        return cell_shapes(adata, names.shapes, names.nuclei, of_pixels)
    if names.unit == "bins":
        return {names.shapes: _bins(adata, factors.get("spot_diameter_fullres", 1.0), of_pixels)}
    return {names.shapes: _spots(adata, factors, um_per_px, of_pixels)}


def section_images(adata: ad.AnnData, names: ElementNames) -> dict[str, DataArray]:
    """Make images of the reduced pictures that have a scale.

    Parameters
    ----------
    adata
        Section in the form of the data contract.
    names
        Names of its elements.
    """
    um_per_px, library = adata.uns.get(keys.UNS, {}).get(keys.MICRONS_PER_PIXEL), library_of(adata)
    images = {}
    for name, picture in library.get("images", {}).items():
        factor = library.get("scalefactors", {}).get(f"tissue_{name}_scalef")
        if factor:
            pixels = np.atleast_3d(np.asarray(picture)).transpose(2, 0, 1)
            to_global = Scale([1 / factor, 1 / factor], axes=("x", "y"))
            images[names.image(name)] = Image2DModel.parse(
                pixels, dims=("c", "y", "x"), transformations=frames(to_global, um_per_px)
            )
    return images


def annotating_table(adata: ad.AnnData, regions: Sequence[str], instances: Sequence[str]) -> ad.AnnData:
    """Make the table of a store, without pictures and outlines.

    Parameters
    ----------
    adata
        Observations; arrays are shared with it, since they are what takes the memory.
    regions, instances
        The shapes element of each observation, and its name there.

    Returns
    -------
    The table. ``X`` is by column (CSC), since viewers read genes.
    """
    spatial = {
        safe_key(library): {name: entry for name, entry in content.items() if name != "images"}
        for library, content in adata.uns.get(keys.UNS_SPATIAL, {}).items()
    }
    uns = dict(adata.uns) | {keys.UNS_SPATIAL: spatial}
    if keys.OUTLINES in uns.get(keys.UNS, {}):  # they are shapes of the store
        uns[keys.UNS] = {name: entry for name, entry in uns[keys.UNS].items() if name != keys.OUTLINES}
    table = ad.AnnData(
        X=csc_matrix(adata.X) if issparse(adata.X) else adata.X,
        obs=_safe_columns(adata.obs).assign(**{REGION: pd.Categorical(regions), INSTANCE: list(instances)}),
        var=_safe_columns(adata.var),
        # anndata 0.13 lists X among the layers, under None
        layers={name: layer for name, layer in adata.layers.items() if name is not None},
        obsm=_safe_tables(adata.obsm),
        varm=_safe_tables(adata.varm),
        obsp=dict(adata.obsp),
        uns=uns,
    )
    return TableModel.parse(table, region=list(dict.fromkeys(regions)), region_key=REGION, instance_key=INSTANCE)


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


def _safe_tables(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _safe_columns(one) if isinstance(one, pd.DataFrame) else one for name, one in arrays.items()}


def _safe_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The table with column names that Zarr and SpatialData accept; ``.h5ad`` files of old versions have others."""
    return table.set_axis(safe_keys(map(str, table.columns)), axis=1)
