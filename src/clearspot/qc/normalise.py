"""Size factors and log-normalised expression."""

from __future__ import annotations

import anndata as ad
import numpy as np

from clearspot import keys


def normalise(adata: ad.AnnData) -> float:
    """Set ``obs['size_factor']`` and ``X`` in place; the counts stay as they are.

    ``X = log1p(counts / size factor)`` as float32 CSR, the size factor being a spot's total over the median total of
    the passing spots (the paper's size factor, and scanpy's ``normalize_total`` with that median as its target).
    Spots that fail get the same treatment, so that they can be drawn on one scale.

    Returns
    -------
    The median total of the passing spots.
    """
    import scanpy as sc

    totals = adata.obs[keys.TOTAL_COUNTS].to_numpy(dtype=float)
    median = float(np.median(totals[adata.obs[keys.QC_PASS].to_numpy()]))
    adata.obs[keys.SIZE_FACTOR] = totals / median
    adata.X = adata.layers[keys.COUNTS].astype(np.float32)
    sc.pp.normalize_total(adata, target_sum=median)
    sc.pp.log1p(adata)
    # scanpy notes the natural base as None, which older readers of .h5ad cannot take and scanpy itself does not need.
    adata.uns["log1p"] = {}
    return median
