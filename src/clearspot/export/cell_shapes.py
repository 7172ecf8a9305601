"""Outlines of segmented cells and nuclei as shapes of SpatialData."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.errors import BadInputError, Problem
from clearspot.extras import extra
from clearspot.io.outlines import Outlines, cell_numbers

with extra("spatialdata"):
    import geopandas as gpd
    import shapely
    from spatialdata.models import ShapesModel
    from spatialdata.transformations import BaseTransformation


def cell_shapes(
    adata: ad.AnnData, cells: str, nuclei: str, into: dict[str, BaseTransformation]
) -> dict[str, gpd.GeoDataFrame]:
    """Make shapes of the outlines that ingest kept in ``uns``.

    Parameters
    ----------
    adata
        Segmented cells; some of those that were read may be gone.
    cells, nuclei
        Names of the two elements.
    into
        Coordinate systems.

    Returns
    -------
    Polygons of all cells, and of the nuclei of those that have one, indexed by the cell's name. No element of nuclei
    where there is none.

    Raises
    ------
    BadInputError
        An observation has no outline: it was renamed, or is not of this sample.
    """
    kept = adata.uns[keys.UNS][keys.OUTLINES]
    ids = cell_numbers(adata.obs_names)
    found = {}
    for name, part in ((cells, "cells"), (nuclei, "nuclei")):
        if part not in kept:
            continue
        outlines = Outlines.from_dict(kept[part])
        rows = outlines.rows_of(ids)
        if part == "cells" and (rows < 0).any():
            lost = adata.obs_names[rows < 0]
            raise BadInputError(
                Problem(
                    cells.removesuffix("_cells"),
                    "obs",
                    f"{len(lost)} cells without an outline, for example {lost[0]}",
                    "cells with the names given by Space Ranger",
                    "Restore the original cell names.",
                )
            )
        if (rows >= 0).any():
            found[name] = _polygons(outlines.take(rows[rows >= 0]), adata.obs_names[rows >= 0], into)
    return found


def _polygons(outlines: Outlines, names: pd.Index, into: dict[str, BaseTransformation]) -> gpd.GeoDataFrame:
    ring = np.repeat(np.arange(len(outlines)), np.diff(outlines.offsets))
    polygons = shapely.polygons(shapely.linearrings(outlines.xy, indices=ring))
    return ShapesModel.parse(gpd.GeoDataFrame(geometry=polygons, index=names.to_numpy()), transformations=into)
