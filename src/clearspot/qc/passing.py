"""Which spots and genes the later steps may use."""

from __future__ import annotations

import anndata as ad
import numpy as np
from numpy.typing import NDArray

from clearspot import keys
from clearspot.contract.flags import read_flag


def passing_spots(adata: ad.AnnData, sample: str = "sample") -> NDArray[np.bool_]:
    """Mask of the spots that passed quality control; all of them where it has not run."""
    if keys.QC_PASS not in adata.obs:
        return np.ones(adata.n_obs, dtype=bool)
    return read_flag(adata.obs, keys.QC_PASS, sample)


def passing_genes(adata: ad.AnnData, sample: str = "sample") -> NDArray[np.bool_]:
    """Mask of the genes that passed quality control; all of them where it has not run."""
    if keys.GENE_PASS not in adata.var:
        return np.ones(adata.n_vars, dtype=bool)
    return read_flag(adata.var, keys.GENE_PASS, sample, "var")
