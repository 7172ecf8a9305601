"""b: how well counts that no method saw are predicted from the others.

A tenth of the counts of the modelled genes is drawn out by binomial thinning. Prediction: rate x size factor x 1/9, the
same for every method. Poisson deviance per spot and gene, and the mean over genes of the correlation with held-out
rates. A rate of 0 under a held-out count is infinitely wrong, so methods other than DUSTED get a share of the gene's
mean: ``PLAIN_SHARE``, about that of one pseudo-spot among a spot and its neighbours, and besides the share among
``MIXED_IN`` that suits them best *on the held-out counts* themselves: ``best_deviance``, an advantage that DUSTED does
not have.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from methods import METHODS as ALL
from methods import OURS
from sections import SECTIONS, Case, load

from clearspot.dusted.evaluation import SMALLEST_MEAN, HeldOutScore
from clearspot.dusted.section import gene_rates

FRACTION = 0.1
PLAIN_SHARE = 0.1
MIXED_IN = (0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8)
METHODS = ("gene_mean", "neighbours", "magic", "knn_smoothing", "dusted", "dca", "stagate", "dusted_paper")


def cases() -> tuple[str, ...]:
    return SECTIONS


@lru_cache(maxsize=1)
def _split(name: str, seed: int) -> tuple[Case, np.ndarray]:
    return load(name).thinned(FRACTION, 100 + seed)


def evaluate(name: str, method: str, seed: int) -> list[dict[str, object]]:
    """A row a setting."""
    case, held_out = _split(name, seed)
    began = _processor_seconds()
    answers = ALL[method](case, seed)
    seconds = _processor_seconds() - began
    mean = gene_rates(case.section)
    rows = []
    for answer in answers:
        shares = (0.0,) if method in OURS else MIXED_IN
        deviances = _deviances(answer.rates, shares, case, held_out)
        best = min(deviances, key=deviances.__getitem__)
        share = PLAIN_SHARE if PLAIN_SHARE in shares else shares[0]
        plain = _score((1 - share) * answer.rates + share * mean, case, held_out)
        rows.append(
            {
                "variant": answer.variant,
                "deviance": plain.deviance,
                "correlation": float(np.nanmean(plain.gene_correlation)),
                "best_share": best,
                "best_deviance": deviances[best],
                "seconds": round(seconds, 1),
            }
        )
    return rows


def _processor_seconds() -> float:
    """Of this process and of those it has waited for: a method may run in an environment of its own."""
    return sum(os.times()[:4])


def _deviances(rates: np.ndarray, shares: Sequence[float], case: Case, held_out: np.ndarray) -> dict[float, float]:
    """Deviance with each share of the gene's mean: as in ``_score``, with logarithms only where there are counts."""
    row, gene = held_out.nonzero()
    counts, mean = held_out[row, gene].astype(np.float64), gene_rates(case.section)
    depth = case.section.size_factor.astype(np.float64) * (FRACTION / (1 - FRACTION))
    expected, expected_of_mean = float((depth @ rates).sum()), float(depth.sum() * mean.sum())
    found = {}
    for share in shares:
        predicted = depth[row] * ((1 - share) * rates[row, gene] + share * mean[gene])
        log_ratio = np.log(counts / np.maximum(predicted, SMALLEST_MEAN))
        surplus = (1 - share) * expected + share * expected_of_mean - counts.sum()
        found[share] = float(2 * (counts @ log_ratio + surplus) / held_out.size)
    return found


def _score(rates: np.ndarray, case: Case, held_out: np.ndarray) -> HeldOutScore:
    score = HeldOutScore(case.section.n_genes)
    size_factor = case.section.size_factor
    score.add(rates * size_factor[:, None] * (FRACTION / (1 - FRACTION)), held_out, size_factor)
    return score
