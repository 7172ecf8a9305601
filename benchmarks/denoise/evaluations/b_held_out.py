"""b: how well counts that no method saw are predicted from the others.

A tenth of the counts of the modelled genes is drawn out by binomial thinning. Prediction: rate x size factor x 1/9, the
same for every method. Poisson deviance per spot and gene, and the mean over genes of the correlation with held-out
rates. A rate of 0 under a held-out count is infinitely wrong, so methods other than DUSTED get a share of the gene's
mean: ``PLAIN_SHARE``, about that of one pseudo-spot among a spot and its neighbours, and besides the share among
``MIXED_IN`` that suits them best *on the held-out counts* themselves: ``best_deviance``, an advantage that DUSTED does
not have.
"""

from __future__ import annotations

import time
from functools import cache

import numpy as np
from methods import METHODS as ALL
from methods import OURS
from sections import SECTIONS, Case, load

from clearspot.dusted.evaluation import HeldOutScore
from clearspot.dusted.section import gene_rates

FRACTION = 0.1
PLAIN_SHARE = 0.1
MIXED_IN = (0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8)
METHODS = ("gene_mean", "neighbours", "magic", "knn_smoothing", "dusted", "dca", "stagate", "dusted_paper")


def cases() -> tuple[str, ...]:
    return SECTIONS


@cache
def _split(name: str, seed: int) -> tuple[Case, np.ndarray]:
    return load(name).thinned(FRACTION, 100 + seed)


def evaluate(name: str, method: str, seed: int) -> list[dict[str, object]]:
    """A row a setting."""
    case, held_out = _split(name, seed)
    began = time.perf_counter()
    answers = ALL[method](case, seed)
    seconds = time.perf_counter() - began
    mean = gene_rates(case.section)
    rows = []
    for answer in answers:
        shares = (0.0,) if method in OURS else MIXED_IN
        scores = {share: _score((1 - share) * answer.rates + share * mean, case, held_out) for share in shares}
        plain = scores.get(PLAIN_SHARE, scores[shares[0]])
        best = min(scores, key=lambda share: scores[share].deviance)
        rows.append(
            {
                "variant": answer.variant,
                "deviance": plain.deviance,
                "correlation": float(np.nanmean(plain.gene_correlation)),
                "best_share": best,
                "best_deviance": scores[best].deviance,
                "seconds": round(seconds, 1),
            }
        )
    return rows


def _score(rates: np.ndarray, case: Case, held_out: np.ndarray) -> HeldOutScore:
    score = HeldOutScore(case.section.n_genes)
    size_factor = case.section.size_factor
    score.add(rates * size_factor[:, None] * (FRACTION / (1 - FRACTION)), held_out, size_factor)
    return score
