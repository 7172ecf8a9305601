"""A small section that several tests train on."""

import anndata as ad
import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot import keys
from clearspot.diffst.data.embedding import embed_histology
from clearspot.diffst.data.section import SpotSection, read_section
from clearspot.diffst.image.histology import Histology
from clearspot.diffst.params import DiffstParams

N_GENES = 14


def make_section(seed: int = 0) -> tuple[ad.AnnData, np.ndarray]:
    """Ten by ten spots at 100 um, 1 um a pixel, on a picture whose left half is darker; the last gene is never seen."""
    row, column = np.divmod(np.arange(100), 10)
    xy = np.column_stack([100.0 * column + 50 * (row % 2) + 100, 86.6 * row + 100])
    rng = np.random.default_rng(seed)
    rate = np.where(xy[:, :1] < 550, 9.0, 2.0) * rng.gamma(2.0, 1.0, N_GENES)
    rate[:, -1] = 0
    adata = ad.AnnData(sp.csr_matrix(np.zeros((100, N_GENES), dtype=np.float32)))
    adata.obs = pd.DataFrame({keys.QC_PASS: True}, index=[f"spot{i}" for i in range(100)])
    adata.var_names = [f"gene{i}" for i in range(N_GENES)]
    adata.layers[keys.COUNTS] = sp.csr_matrix(rng.poisson(rate).astype(np.int32))
    adata.obsm[keys.SPATIAL] = xy
    adata.uns[keys.UNS] = {keys.MICRONS_PER_PIXEL: 1.0}
    picture = rng.integers(120, 240, (1080, 1250, 3)).astype(np.uint8)
    picture[:, :550] //= 2
    return adata, picture


def read_made(params: DiffstParams) -> tuple[SpotSection, Histology]:
    """The small section and its picture as the networks get them."""
    adata, picture = make_section()
    embedding = embed_histology(adata, picture, "s1", params)
    return read_section(adata, "s1", params, grid=embedding.grid), embedding.histology
