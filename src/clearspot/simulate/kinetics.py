"""Counts of cells of several types from promoter kinetics, in the manner of SymSim (Zhang, Xu, Yosef 2019)."""

from __future__ import annotations

from typing import Final

import numpy as np

_FACTORS: Final = 30
_TYPE_FACTORS: Final = 12
_EFFECT_SHARE: Final = 0.3
_FACTOR_SD: Final = 0.35
# Mean and standard deviation over genes and cells of log10 of the rates: promoter on, promoter off, synthesis.
_LOG_RATES: Final = {"on": (-0.10, 0.35), "off": (0.25, 0.35), "synthesis": (1.30, 0.60)}


def true_counts(rng: np.random.Generator, types: np.ndarray, n_genes: int) -> np.ndarray:
    """Draw the transcripts that each cell holds.

    Cells of a type share the mean of some extrinsic factors; each gene's three rates depend on a random few of all
    factors; the promoter's open time is Beta(on, off) and the transcripts are Poisson(open time x synthesis).

    Parameters
    ----------
    rng
        Source of all randomness.
    types
        Cell type of each cell, 0 ... n - 1.
    n_genes
        Number of genes.

    Returns
    -------
    int32, cells x genes.
    """
    n_types = int(types.max()) + 1
    means = np.ones((n_types, _FACTORS))
    means[:, :_TYPE_FACTORS] += rng.normal(0, 1.0, (n_types, _TYPE_FACTORS))
    factors = means[types] + rng.normal(0, _FACTOR_SD, (len(types), _FACTORS))
    rates = {}
    for name, (mean, sd) in _LOG_RATES.items():
        effects = rng.normal(0, 1, (_FACTORS, n_genes)) * (rng.random((_FACTORS, n_genes)) < _EFFECT_SHARE)
        score = factors @ effects
        # SymSim maps the scores' ranks to the rates seen in real cells, which are near log-normal.
        rates[name] = 10 ** (mean + sd * (score - score.mean()) / score.std())
    open_share = rng.beta(rates["on"], rates["off"])
    return rng.poisson(open_share * rates["synthesis"]).astype(np.int32)


def captured_counts(rng: np.random.Generator, true: np.ndarray, efficiency: float) -> np.ndarray:
    """Molecules that library preparation keeps: binomial, with an efficiency that differs between cells and genes.

    Parameters
    ----------
    rng
        Source of all randomness.
    true
        Cells x genes.
    efficiency
        Mean share of the molecules kept.

    Returns
    -------
    int32, cells x genes.
    """
    by_cell = np.exp(rng.normal(0, 0.25, (true.shape[0], 1)))
    by_gene = np.exp(rng.normal(0, 0.15, (1, true.shape[1])))
    return rng.binomial(true, np.clip(efficiency * by_cell * by_gene, 0, 1)).astype(np.int32)
