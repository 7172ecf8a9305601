"""Super-resolved bins as elements of the SpatialData store: a grid of labels, and a table that they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import anndata as ad
import numpy as np
import pandas as pd

from clearspot import keys
from clearspot.extras import extra

with extra("spatialdata"):
    from spatialdata.models import Labels2DModel, TableModel
    from spatialdata.transformations import Scale, Sequence, Translation
    from xarray import DataArray

    from clearspot.export.frames import frames

REGION: Final = "region"
INSTANCE: Final = "bin"


def superres_elements(superres: Path, element: str) -> tuple[DataArray, ad.AnnData]:
    """Read a super-resolved file as SpatialData elements.

    Parameters
    ----------
    superres
        ``<sample>.superres.h5ad``.
    element
        Name that the labels will have in the store.

    Returns
    -------
    The labels, rows x columns of the grid (a pixel a bin; 0: off tissue), and the table with one row a bin: the mean in
    ``X`` and the layer ``sd``. The quantiles stay in the file.
    """
    bins = ad.read_h5ad(superres, backed="r")
    try:
        about = bins.uns[keys.UNS]
        numbers = np.arange(1, bins.n_obs + 1, dtype=np.int32)
        grid = np.zeros(tuple(int(side) for side in about[keys.GRID_SHAPE]), dtype=np.int32)
        grid[bins.obs[keys.ARRAY_ROW].to_numpy(), bins.obs[keys.ARRAY_COL].to_numpy()] = numbers
        affine = np.asarray(about[keys.AFFINE], dtype=np.float64)
        to_global = Sequence(
            [Scale(affine.diagonal()[:2], axes=("x", "y")), Translation(affine[:2, 2], axes=("x", "y"))]
        )
        labels = Labels2DModel.parse(
            grid, dims=("y", "x"), transformations=frames(to_global, about.get(keys.MICRONS_PER_PIXEL))
        )
        table = ad.AnnData(
            X=np.asarray(bins.layers[keys.SUPERRES_MEAN][:], dtype=np.float32),
            obs=bins.obs.assign(**{REGION: pd.Categorical([element] * bins.n_obs), INSTANCE: numbers}),
            var=bins.var.copy(),
            layers={keys.SUPERRES_SD: np.asarray(bins.layers[keys.SUPERRES_SD][:], dtype=np.float32)},
            obsm={keys.SPATIAL: np.asarray(bins.obsm[keys.SPATIAL])},
            uns={keys.UNS: dict(about)},
        )
    finally:
        bins.file.close()
    return labels, TableModel.parse(table, region=element, region_key=REGION, instance_key=INSTANCE)
