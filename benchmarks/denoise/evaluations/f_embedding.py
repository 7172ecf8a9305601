"""f: the embedding that the product clusters, and how the domains of each agree with the labels.

The choice is made as in the pipeline's step, without labels. Domains are then those of the product's own mixture, with
as many domains as labels.
"""

from __future__ import annotations

from functools import cache

import anndata as ad
import numpy as np
from methods.averages import spot_and_around
from sections import LABELS, TOTALS, load, read_adata
from sklearn.metrics import adjusted_rand_score

import clearspot
from clearspot import keys
from clearspot.domains.components import leading_components, own_components
from clearspot.domains.embedding import choose_embedding
from clearspot.domains.gmm import gmm_domains
from clearspot.domains.params import DomainParams
from clearspot.record import StepRecord
from evaluations.c_labels import CLUSTERINGS, cases

__all__ = ["METHODS", "cases", "evaluate"]

METHODS = ("embedding",)


@cache
def _denoised(name: str, seed: int) -> ad.AnnData:
    adata = read_adata(name)
    clearspot.denoise(adata, sample=name, seed=seed, size_factor_key=TOTALS.get(name), progress=False)
    return adata


def evaluate(name: str, _method: str, seed: int) -> list[dict[str, object]]:
    """A row an embedding and clustering."""
    adata, case = _denoised(name, seed), load(name)
    rows = np.arange(adata.n_obs)
    record = StepRecord(name, "domains")
    chosen, _ = choose_embedding(adata, rows, name, DomainParams(seed=seed), record)
    truth = adata.obs[LABELS[name.split("/")[0]]].astype(str).replace({"nan": ""}).to_numpy()
    known = ~np.isin(truth, ["", "undetermined"])
    weights = spot_and_around(case, 1, 1.0)
    embeddings = {
        "dusted": leading_components(np.asarray(adata.obsm[keys.LATENT])),
        "pca": own_components(case.section.counts, seed),
        "neighbour mean": own_components((weights @ case.section.counts).tocsr(), seed),
    }
    made = []
    for how, values in embeddings.items():
        for start in range(CLUSTERINGS):
            found = gmm_domains(values, len(set(truth[known])), seed=start).codes[known]
            made.append(
                {
                    "embedding": how,
                    "start": start,
                    "ari": adjusted_rand_score(truth[known], found),
                    "explained": record.metrics.get(f"domain_explained_{how}", ""),
                    "chosen": chosen,
                }
            )
    return made
