"""How near maps come to the truth, gene by gene, by measures that no rescaling can flatter.

Arrays are bins (or spots) x genes, of expected or drawn counts.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

DEVIANCE_FLOOR: Final = 0.01
"""Predictions count as at least this share of the gene's mean truth: a predicted 0 would cost infinitely much."""


def gene_pearson(truth: ArrayLike, predicted: ArrayLike) -> Floats:
    """Pearson correlation of each gene, with its sign.

    Returns
    -------
    NaN where the truth is constant; 0 where only the prediction is, which then has no information.
    """
    t, p = centred(truth), centred(predicted)
    return cosine(t, p)


def poisson_deviance(truth: ArrayLike, predicted: ArrayLike) -> Floats:
    """Mean unit deviance ``2 (y log(y / m) - y + m)`` of each gene; lower is better.

    The prediction is floored at :data:`DEVIANCE_FLOOR` times the gene's mean truth. NaN where a gene's truth is 0.
    """
    y, m = both(truth, predicted)
    mean = y.mean(axis=0)
    m = np.maximum(m, DEVIANCE_FLOOR * mean)
    safe = np.where(m > 0, m, 1)
    ratio = np.where(y > 0, y, safe) / safe
    deviance = 2 * (y * np.log(ratio) - y + m)
    return np.where(mean > 0, deviance.mean(axis=0), np.nan)


def both(truth: Any, predicted: Any) -> tuple[Floats, Floats]:
    """Two matrices of one shape, as 64-bit floats."""
    y, m = np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    if y.shape != m.shape or y.ndim != 2:
        raise ValueError(f"expected two matrices of one shape, not {y.shape} and {m.shape}")
    return y, m


def centred(values: ArrayLike) -> Floats:
    """Columns without their mean; a constant one is exactly 0."""
    dense = np.asarray(values, dtype=np.float64)
    # The mean of equal numbers need not be that number, and the rounding error would pass for a pattern.
    return np.where(np.ptp(dense, axis=0) > 0, dense - dense.mean(axis=0), 0.0)


def cosine(t: Floats, p: Floats) -> Floats:
    """Cosine of each pair of columns: 0 where only the second is 0, NaN where the first is."""
    if t.shape != p.shape:
        raise ValueError(f"expected two matrices of one shape, not {t.shape} and {p.shape}")
    norm = np.sqrt((t**2).sum(axis=0) * (p**2).sum(axis=0))
    r = np.divide((t * p).sum(axis=0), norm, out=np.zeros(t.shape[1]), where=norm > 0)
    return np.where((t**2).sum(axis=0) > 0, r, np.nan)
