"""c: agreement of clusters with the anatomist's or pathologist's labels, the same clustering for every embedding.

Gaussian mixture with one shared covariance (mclust's EEE), as many components as labels, on the labelled spots'
embedding: the method's latent, or 30 principal components of the logarithm of its rates.
``CLUSTERINGS`` initialisations each.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from methods import METHODS as ALL
from methods.common import Denoised
from methods.stagate import embed
from sections import LABELS, SECTIONS, Case, load
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, homogeneity_score, normalized_mutual_info_score
from sklearn.mixture import GaussianMixture

CLUSTERINGS = 10
COMPONENTS = 30
METHODS = ("raw", "neighbours", "magic", "dusted", "stagate", "dusted_paper")
THE_PAPERS_WAY = ("dusted", "dusted_paper")


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
            model = GaussianMixture(len(set(truth)), covariance_type="tied", random_state=start, max_iter=300)
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
    for answer in answers:
        if method in THE_PAPERS_WAY and answer.variant == "expected counts":
            continue
        label = f"PCA, {answer.variant}" if answer.variant else "PCA"
        made.append((label, _principal_components(answer)))
        if answer.latent is not None:
            made.append(("latent", answer.latent))
    return made


def stagate_of(answer: Denoised, case: Case, seed: int) -> np.ndarray:
    """The paper's way: a STAGATE-like embedding of the denoised data."""
    return embed(np.log1p(answer.rates), case, seed)[0]


def _principal_components(answer: Denoised) -> np.ndarray:
    values = np.log1p(answer.rates)
    return PCA(min(COMPONENTS, *values.shape), random_state=0).fit_transform(values)
