"""A small section as the denoiser leaves it: the neighbour mean stands in for the denoiser."""

import anndata as ad
import numpy as np
from sklearn.decomposition import PCA

from clearspot.graph.build import build_graph
from clearspot.metrics.neighbours import neighbour_mean
from clearspot.qc.params import QCParams
from clearspot.qc.run import run_qc
from tests.helpers.sections import section


def denoised_section(min_counts: int = 250, **params) -> ad.AnnData:
    """Section with latent and denoised counts; a few dim spots fail quality control."""
    adata = section()
    run_qc(adata, "s", QCParams(min_counts=min_counts, **params))
    build_graph(adata, "s")
    rows = np.flatnonzero(adata.obs["qc_pass"])
    graph, values = adata.obsp["spatial_connectivities"][rows][:, rows], adata.X[rows].toarray()
    mean = neighbour_mean(graph, values)
    axes = PCA(5, random_state=0).fit(mean)
    shuffled = neighbour_mean(graph, values[np.random.default_rng(0).permutation(len(rows))])
    for key, one in (("X_dusted", mean), ("dusted_shuffled", shuffled)):
        adata.obsm[key] = np.full((adata.n_obs, 5), np.nan, dtype=np.float32)
        adata.obsm[key][rows] = axes.transform(one)
    layer = np.full(adata.shape, np.nan, dtype=np.float32)
    layer[rows] = np.expm1(mean) * adata.obs["size_factor"].to_numpy()[rows, None]
    adata.layers["denoised"] = layer
    return adata
