"""What every method gives back, and the scale it is on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clearspot.dusted.section import Section, gene_rates

OTHER_PYTHON = os.environ.get("BENCHMARK_PYTHON")
"""Interpreter of the environment that holds `magic-impute` and `scvi-tools`, which this project does not depend on."""


class NotInstalledError(RuntimeError):
    """A method whose package is not there; the run goes on without it."""


@dataclass(frozen=True)
class Denoised:
    """One method's answer.

    Parameters
    ----------
    rates
        Expected counts of every spot and gene per unit of size factor, shape ``(n_spots, n_genes)``.
    latent
        Embedding, where the method has one.
    variant
        Setting of the method that gave it.
    """

    rates: np.ndarray
    latent: np.ndarray | None = None
    variant: str = ""


def raw_rates(section: Section) -> np.ndarray:
    """Counts over size factors."""
    return np.asarray(section.counts.toarray() / section.size_factor[:, None], dtype=np.float32)


def log_rates(section: Section) -> np.ndarray:
    """``log(1 + counts / size factor)``: what methods for log data are given."""
    return np.log1p(raw_rates(section))


def from_log(values: np.ndarray, section: Section) -> np.ndarray:
    """Back to rates, every gene scaled to its mean: a mean of logarithms is no logarithm of a mean."""
    rates = np.expm1(np.maximum(values, 0.0)).astype(np.float64)
    mean = np.average(rates, axis=0, weights=section.size_factor)
    return rates * np.divide(gene_rates(section), mean, out=np.zeros_like(mean), where=mean > 0)


def other_python() -> Path:
    """The other environment's interpreter, or a word why there is none."""
    if OTHER_PYTHON is None or not Path(OTHER_PYTHON).exists():
        raise NotInstalledError("set BENCHMARK_PYTHON to an interpreter with the method's package")
    return Path(OTHER_PYTHON)
