"""Spots that differ from their surroundings: shown, never dropped.

A global threshold takes white matter or decidua for bad spots, since whole tissues hold little RNA. Comparing a spot
with its spatial neighbours (Totty et al., SpotSweeper, Nature Methods 2025) finds those that a tissue does not explain.
"""

from __future__ import annotations

from typing import Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from clearspot import keys

_NEIGHBOURS: Final = 36  # three rings of a hexagon
_FEWEST: Final = 12  # below this a median and a spread mean little
_LIMIT: Final = 3.0
_SPOTS_AT_ONCE: Final = 50_000
_MAD_TO_SD: Final = 1.4826


def robust_local_z(values: NDArray[np.float64], neighbours: NDArray[np.intp]) -> NDArray[np.float64]:
    """Distance of each value from its neighbours' median, in robust standard deviations.

    Parameters
    ----------
    values
        N values.
    neighbours
        n x k row numbers; the first column is the spot itself.

    Returns
    -------
    n z-scores; missing where the neighbours have no spread.
    """
    around = values[neighbours]
    median = np.nanmedian(around, axis=1)
    spread = _MAD_TO_SD * np.nanmedian(np.abs(around - median[:, None]), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, (values[neighbours[:, 0]] - median) / spread, np.nan)


def flag_local_outliers(adata: ad.AnnData) -> dict[str, int] | None:
    """Add robust z-scores and ``obs['local_outlier']`` in place.

    A spot is an outlier if its log counts or log genes lie more than three robust standard deviations below, or its
    mitochondrial percentage as far above, the 36 spots nearest to it.

    Returns
    -------
    Number of outliers by each metric and by ``any``; ``None`` where there are too few spots to compare with.
    """
    if adata.n_obs <= _FEWEST:
        return None
    judged = {
        keys.TOTAL_COUNTS: (np.log1p(adata.obs[keys.TOTAL_COUNTS].to_numpy(dtype=float)), -1),
        keys.N_GENES: (np.log1p(adata.obs[keys.N_GENES].to_numpy(dtype=float)), -1),
    }
    mito = keys.percent_of("mt")
    if mito in adata.obs:
        judged[mito] = (adata.obs[mito].to_numpy(dtype=float), 1)
    scores = {name: np.full(adata.n_obs, np.nan) for name in judged}
    coordinates = np.asarray(adata.obsm[keys.SPATIAL], dtype=np.float64)
    tree = cKDTree(coordinates)
    for start in range(0, adata.n_obs, _SPOTS_AT_ONCE):
        block = slice(start, start + _SPOTS_AT_ONCE)
        _, neighbours = tree.query(coordinates[block], k=min(_NEIGHBOURS + 1, adata.n_obs))
        for name, (values, _) in judged.items():
            scores[name][block] = robust_local_z(values, neighbours)
    flagged = np.zeros(adata.n_obs, dtype=bool)
    found = {}
    for name, (_, sign) in judged.items():
        beyond = sign * scores[name] > _LIMIT
        adata.obs[keys.local_z(name)] = scores[name].astype(np.float32)
        found[name] = int(beyond.sum())
        flagged |= beyond
    adata.obs[keys.LOCAL_OUTLIER] = flagged
    return found | {"any": int(flagged.sum())}
