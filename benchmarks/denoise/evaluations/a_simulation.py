"""a: the paper's simulation: mean squared error to the expression that was there (see ``simulation.py``).

Both as ``log(1 + counts per 10,000)``, over all spots and genes. ``type_mean`` is the mean of all spots of the
same cell type, which no method is told; beyond it lies how a gene flickers from cell to cell.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from methods import METHODS as ALL
from sections import Case
from simulation import PATTERNS, SETTINGS, simulate

from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.params import DustedParams

METHODS = (
    "raw",
    "type_mean",
    "neighbours",
    "magic",
    "knn_smoothing",
    "dusted",
    "dusted_no_gene_attention",
    "dca",
    "stagate",
    "scvi",
)


def cases() -> tuple[str, ...]:
    return tuple(f"{pattern}/{setting}" for setting in SETTINGS for pattern in PATTERNS)


@lru_cache(maxsize=1)
def _case(name: str, seed: int) -> tuple[Case, np.ndarray]:
    pattern, setting = name.split("/")
    made = simulate(pattern, int(setting), seed)
    source = read_section(made.adata, name, DustedParams.preset("default", genes="all"))
    labels = made.adata.obs["label"].to_numpy()[source.spots]
    return Case(name, source.section, labels), made.truth[source.spots][:, source.genes]


def evaluate(name: str, method: str, seed: int) -> list[dict[str, object]]:
    """A row a setting of the method."""
    case, truth = _case(name, seed)
    target = _log_cp10k(truth)
    return [
        {"variant": answer.variant, "mse": float(((_log_cp10k(answer.rates) - target) ** 2).mean())}
        for answer in ALL[method](case, seed)
    ]


def _log_cp10k(values: np.ndarray) -> np.ndarray:
    return np.log1p(values * (1e4 / np.maximum(values.sum(axis=1, keepdims=True), 1e-9)))
