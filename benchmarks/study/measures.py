"""How well a latent keeps known tissue and mixes batches: the measures of scib-metrics, and the step's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.study.latents import Sections
from clearspot import keys
from clearspot.domains.components import leading_components
from clearspot.domains.gmm import gmm_domains
from clearspot.domains.labels import by_size
from clearspot.metrics.agreement import label_agreement
from clearspot.study.mixing import NEIGHBOURS, mixing
from clearspot.study.shared_domains import OF_ONE_SECTION

_NEIGHBOURS = 90
_BIOLOGY = ("ari", "nmi", "label_silhouette", "clisi")
_BATCH = ("ilisi", "kbet", "batch_silhouette", "graph_connectivity")


def measured(
    latent: NDArray[np.floating],
    study: Sections,
    batch: NDArray[np.intp],
    labels: NDArray[np.object_],
    n_domains: int | None,
    seed: int,
) -> dict[str, Any]:
    """Measure a latent.

    Parameters
    ----------
    latent
        Shape ``(n_spots, d)``.
    study
        What it is the latent of.
    batch
        Batch of each spot, that of the measures.
    labels
        Known tissue of each spot; missing where unknown.
    n_domains
        Number of domains to look for; ``None``: by BIC.
    seed
        Seed of the clustering.
    """
    domain = by_size(gmm_domains(leading_components(latent), n_domains, seed=seed).codes)
    counts = pd.crosstab(study.section, domain)
    found: dict[str, Any] = {
        "mixing": mixing(latent, batch, study.adata.obsp[keys.CONNECTIVITIES], seed),
        "n_domains": int(domain.max() + 1),
        "n_domains_of_one_section": int((counts.max() >= OF_ONE_SECTION * counts.sum()).sum()),
    }
    found |= _scib_of_batches(latent, batch)
    known = pd.notna(labels)
    if known.any():
        agreement = label_agreement(labels, domain)
        found |= {"ari": agreement["ari"], "nmi": agreement["nmi"]}
        each = [
            label_agreement(labels[study.section == one], domain[study.section == one])["ari"]
            for one in np.unique(study.section)
        ]
        found["ari_by_section"] = float(np.mean([value for value in each if value is not None]))
        # where a single batch has labels, they say nothing about the others
        if np.unique(batch[known]).size > 1:
            found |= _scib_of_labels(latent[known], labels[known].astype(str), batch[known])
            found["biology"] = float(np.mean([found[name] for name in _BIOLOGY]))
            found["batch"] = float(np.mean([found[name] for name in _BATCH]))
            found["total"] = 0.6 * found["biology"] + 0.4 * found["batch"]
    return found


def kept_difference(
    latent: NDArray[np.floating], section: NDArray[np.intp], group: NDArray[np.intp], chosen: NDArray[np.bool_]
) -> float:
    """How surely nearest neighbours in other sections are of the same group, from 0 (by chance) to 1 (always).

    Parameters
    ----------
    latent
        Shape ``(n_spots, d)``.
    section, group
        Section and group (such as the condition) of each spot.
    chosen
        Spots that are asked.
    """
    from sklearn.neighbors import NearestNeighbors

    found, by_chance = [], []
    for one in np.unique(section[chosen]):
        asked, others = np.flatnonzero(chosen & (section == one)), np.flatnonzero(chosen & (section != one))
        near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(others))).fit(latent[others])
        same = group[others] == group[asked[0]]
        found.append(same[near.kneighbors(latent[asked], return_distance=False)].mean())
        by_chance.append(same.mean())
    chance = float(np.mean(by_chance))
    return (float(np.mean(found)) - chance) / (1 - chance)


def _neighbours(latent: NDArray[np.floating]) -> Any:
    from scib_metrics.nearest_neighbors import NeighborsResults
    from sklearn.neighbors import NearestNeighbors

    finder = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(latent))).fit(latent)
    distances, indices = finder.kneighbors(latent)
    return NeighborsResults(indices=indices, distances=distances)


def _scib_of_batches(latent: NDArray[np.floating], batch: NDArray[np.intp]) -> dict[str, float]:
    import scib_metrics as scib

    near = _neighbours(latent)
    return {"ilisi": float(scib.ilisi_knn(near, batch)), "kbet": float(scib.kbet(near.subset_neighbors(50), batch)[0])}


def _scib_of_labels(
    latent: NDArray[np.floating], labels: NDArray[np.str_], batch: NDArray[np.intp]
) -> dict[str, float]:
    import scib_metrics as scib

    near, codes = _neighbours(latent), pd.factorize(labels)[0]
    return {
        "label_silhouette": float(scib.silhouette_label(latent, codes)),
        "clisi": float(scib.clisi_knn(near, codes)),
        "batch_silhouette": float(scib.silhouette_batch(latent, codes, batch)),
        "graph_connectivity": float(scib.graph_connectivity(near.subset_neighbors(15), codes)),
    }
