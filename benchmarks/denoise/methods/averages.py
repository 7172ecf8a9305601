"""No denoising, and the two plain averages."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sections import Case

from clearspot.dusted.section import gene_rates
from methods.common import Denoised, raw_rates

SELF_WEIGHTS = (1.0, 3.0)
HOPS = (1, 2)
MORE_HOPS = (3, 4, 6, 9)
"""Besides, on bins and cells. So many hops between touching bins are squares of 7, 9, 13 and 19 bins."""


def raw(case: Case, _seed: int) -> list[Denoised]:
    """The counts as they are."""
    return [Denoised(raw_rates(case.section))]


def gene_mean(case: Case, _seed: int) -> list[Denoised]:
    """The same for every spot."""
    return [Denoised(np.tile(gene_rates(case.section), (case.section.n_spots, 1)))]


def type_mean(case: Case, _seed: int) -> list[Denoised]:
    """Mean over all spots with the same label: not a method, as it is told the truth."""
    section = case.section
    assert case.labels is not None
    rates = np.empty((section.n_spots, section.n_genes))
    for label in np.unique(case.labels):
        own = np.flatnonzero(case.labels == label)
        rates[own] = np.asarray(section.counts[own].sum(axis=0)) / section.size_factor[own].sum()
    return [Denoised(rates)]


def within_hops(graph: sp.csr_matrix, hops: int) -> sp.csr_matrix:
    """1 between two spots that are so many hops apart or fewer, 0 between a spot and itself."""
    step = graph.astype(bool).astype(np.float64)
    around = step
    for _ in range(hops - 1):
        around = ((around + around @ step) > 0).astype(np.float64)
    return (around - sp.diags(around.diagonal())).tocsr()


def spot_and_around(case: Case, hops: int, own_weight: float) -> sp.csr_matrix:
    """1 for the spots within so many hops of a spot, another weight for itself."""
    own = sp.identity(case.section.n_spots, format="csr")
    return (within_hops(case.section.graph, hops) + own_weight * own).tocsr()


def neighbours(case: Case, _seed: int) -> list[Denoised]:
    """Counts of a spot and its neighbours over their depth: one or two hops, the spot itself once or three times."""
    section = case.section
    answers = []
    for hops in HOPS + (MORE_HOPS if case.many else ()):
        for weight in SELF_WEIGHTS:
            weights = spot_and_around(case, hops, weight)
            depth = weights @ section.size_factor
            rates = (weights @ section.counts).toarray() / depth[:, None]
            answers.append(Denoised(rates, variant=f"{hops} hops, self {weight:g}"))
    return answers
