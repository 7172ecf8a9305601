"""e: Moran's I of genes, and of the same method on the section with its spots shuffled: smoothing, or recovery?

Genes: the ``GENES`` with the highest raw Moran's I, those that a paper would show. The shuffled section has no
structure: every Moran's I beyond raw's there is made by the method.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from methods import METHODS as ALL
from methods.common import raw_rates
from sections import Case, load

GENES = 50
NAMES = ("mob/MOB2", "her2st/B1", "xenium_pair/visium", "dlpfc/151510")
METHODS = ("raw", "neighbours", "magic", "knn_smoothing", "dusted", "stagate", "dca", "dusted_paper")


def cases() -> tuple[str, ...]:
    return NAMES


@cache
def _cases(name: str) -> tuple[np.ndarray, dict[str, Case]]:
    case = load(name)
    genes = np.argsort(morans_i(np.log1p(raw_rates(case.section)), case))[-GENES:]
    order = np.random.default_rng(0).permutation(case.section.n_spots)
    section = case.section
    mixed = replace(
        section,
        counts=section.counts[order],
        input_scale=section.input_scale[order],
        size_factor=section.size_factor[order],
    )
    return genes, {"as it is": case, "shuffled": replace(case, section=mixed)}


def evaluate(name: str, method: str, seed: int) -> list[dict[str, object]]:
    """A row a setting, for the section and for its control."""
    genes, both = _cases(name)
    rows: list[dict[str, object]] = []
    for spots, case in both.items():
        for answer in ALL[method](case, seed):
            values = morans_i(np.log1p(answer.rates[:, genes]), case)
            rows.append({"variant": answer.variant, "spots": spots, "moran": float(np.nanmean(values))})
    return rows


def morans_i(values: np.ndarray, case: Case) -> np.ndarray:
    """Of every column, over the section's graph."""
    graph = case.section.graph.astype(np.float64)
    centred = values - values.mean(axis=0)
    power = (centred**2).sum(axis=0)
    product = (centred * (graph @ centred)).sum(axis=0)
    return np.divide(product, power, out=np.full(len(power), np.nan), where=power > 0) * len(values) / graph.sum()
