"""c: agreement of clusters with the anatomist's or pathologist's labels, the same clustering for every embedding.

Gaussian mixture with one shared covariance (mclust's EEE), as many components as labels, on the labelled spots'
embedding: the method's latent, or 30 principal components of the logarithm of its rates. With the paper's settings also
the paper's own way, STAGATE's embedding of the denoised values.
``CLUSTERINGS`` clusterings each, the likeliest of ``INITS`` initialisations, as local optima differ by 0.2 in ARI.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from methods import METHODS as ALL
from methods import OURS
from methods.common import Denoised
from methods.stagate import embed
from sections import LABELS, SECTIONS, Case, load
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, homogeneity_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture

from clearspot.domains.components import leading_components

CLUSTERINGS = 10
INITS = 5
COMPONENTS = 30
METHODS = ("raw", "neighbours", "magic", "dusted", "stagate", "dusted_paper")


def cases() -> tuple[str, ...]:
    """The three large and deep ones first, then the small."""
    labelled = [name for name in SECTIONS if name.split("/")[0] in LABELS and not name.startswith("her2st/C")]
    return tuple(sorted([*labelled, "her2st/C1"], key=lambda name: not name.startswith("dlpfc")))


@cache
def _case(name: str) -> Case:
    return load(name)


def evaluate(name: str, method: str, seed: int) -> list[dict[str, object]]:
    """A row an embedding and initialisation."""
    case = _case(name)
    assert case.labels is not None
    known = ~np.isin(case.labels, ["", "undetermined"])
    truth = case.labels[known]
    rows = []
    for how, values in _embeddings(case, method, seed):
        for start in range(CLUSTERINGS):
            model = GaussianMixture(len(set(truth)), covariance_type="tied", n_init=INITS, random_state=start)
            found = model.fit_predict(values[known].astype(np.float64))
            rows.append(
                {
                    "embedding": how,
                    "start": start,
                    "ari": adjusted_rand_score(truth, found),
                    "nmi": normalized_mutual_info_score(truth, found),
                    "homogeneity": homogeneity_score(truth, found),
                }
            )
    return rows


def _embeddings(case: Case, method: str, seed: int) -> list[tuple[str, np.ndarray]]:
    answers = ALL[method](case, seed)
    made = []
    if method in OURS:
        answers = answers[:1]
    for answer in answers:
        label = f"PCA, {answer.variant}" if answer.variant else "PCA"
        made.append((label, _principal_components(answer)))
        if answer.latent is not None:
            made.append(("latent", leading_components(answer.latent)))
        if method == "dusted_paper":
            made.append(("STAGATE of denoised", embed(np.log1p(answer.rates), case, seed)[0]))
    return made


def _principal_components(answer: Denoised) -> np.ndarray:
    values = np.log1p(answer.rates)
    return PCA(min(COMPONENTS, *values.shape), random_state=0).fit_transform(values)
