"""Dispersion of genes by the method of moments, drawn towards what all genes have together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shrunk_dispersion(
    excess: NDArray[np.floating], power: NDArray[np.floating], prior: float, least: float = 0.0
) -> NDArray[np.float64]:
    """Squared coefficient of variation of every gene's rate, ``1 / Theta``: ``excess / power`` of each, shrunk.

    With ``var(count) = m + phi m^2`` the excess of squared residuals over ``m`` is ``phi m^2`` in expectation.

    Parameters
    ----------
    excess
        Squared residuals less their Poisson part, summed over spots, shape ``(n_genes,)``.
    power
        Squared expectations, summed over the same spots with the same weights, shape ``(n_genes,)``.
    prior
        What the ratio of all genes together counts for beside a gene's own ``power``.
    least
        The least that the ratio of all genes is taken to be.

    Returns
    -------
    Shape ``(n_genes,)``; may be negative where a gene varies less than Poisson noise.
    """
    pooled = max(float(excess.sum() / max(float(power.sum()), 1e-12)), least)
    return np.asarray((excess + prior * pooled) / np.maximum(power + prior, 1e-12), dtype=np.float64)
