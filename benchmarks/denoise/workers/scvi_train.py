"""Runs in the other environment: train scVI.

python scvi_train.py IN.npz OUT.npz
"""

import sys

import anndata as ad
import numpy as np
import scvi

given = np.load(sys.argv[1])
scvi.settings.seed = int(given["seed"])
adata = ad.AnnData(given["counts"])
scvi.model.SCVI.setup_anndata(adata)
model = scvi.model.SCVI(adata)
model.train(enable_progress_bar=False)
np.savez(
    sys.argv[2],
    frequencies=np.asarray(model.get_normalized_expression(library_size=1), dtype=np.float32),
    latent=model.get_latent_representation(),
)
