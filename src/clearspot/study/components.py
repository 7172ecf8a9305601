"""Principal components of a study's sections, as they are or corrected by Harmony."""

from __future__ import annotations

from typing import Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import spmatrix

from clearspot import keys
from clearspot.extras import extra
from clearspot.metrics.neighbours import neighbour_mean

HOPS: Final = 2
"""Rounds of averaging over a spot and its neighbours: components then show tissue, as DUSTED's latent does."""


def principal_components(adata: ad.AnnData, n_components: int, seed: int) -> NDArray[np.float32]:
    """Principal components of the variable genes.

    Parameters
    ----------
    adata
        With log-normalised ``X`` and ``var['highly_variable']``.
    n_components
        Number of components.
    seed
        Seed of the solver.

    Returns
    -------
    Shape ``(n_spots, n_components)``, or narrower where there are fewer spots or genes.
    """
    import scanpy as sc

    values = adata.X[:, adata.var[keys.HIGHLY_VARIABLE].to_numpy()].astype(np.float32)
    n_components = min(n_components, min(values.shape) - 1)
    return np.asarray(sc.pp.pca(values, n_comps=n_components, random_state=seed), dtype=np.float32)


def smoothed(components: NDArray[np.float32], connectivities: spmatrix) -> NDArray[np.float32]:
    """Components averaged over neighbours within each section.

    Parameters
    ----------
    components
        Shape ``(n_spots, d)``.
    connectivities
        Graph of all spots, without an edge between sections.
    """
    values: NDArray[np.floating] = components
    for _ in range(HOPS):
        values = neighbour_mean(connectivities, values)
    return values.astype(np.float32)


def harmonised(components: NDArray[np.float32], batch: NDArray[np.intp], seed: int) -> NDArray[np.float32]:
    """Components corrected by Harmony (Korsunsky et al. 2019, Nature Methods 16:1289).

    They are not smoothed yet: averaged over neighbours, sections lie too far apart for clusters of spots of several.

    Parameters
    ----------
    components
        Shape ``(n_spots, d)``.
    batch
        Batch of each spot, shape ``(n_spots,)``.
    seed
        Seed of the clusters.
    """
    from threadpoolctl import threadpool_limits

    with extra("study"):
        from harmonypy import run_harmony

    labels = pd.DataFrame({keys.BATCH: batch.astype(str)})
    with threadpool_limits(limits=1):
        found = np.asarray(
            run_harmony(components, labels, keys.BATCH, random_state=seed, verbose=False, ncores=1).Z_corr
        )
    return (found if found.shape == components.shape else found.T).astype(np.float32)
