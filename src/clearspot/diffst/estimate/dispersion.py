"""How far counts lie from what is expected of them beyond Poisson noise, and what a count says of its expectation."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.distributions.moments import shrunk_dispersion

LEAST: Final = 1e-3
_PRIOR_SPOTS: Final = 20.0


def dispersion(counts: NDArray[np.floating], expected: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squared coefficient of variation of each gene's expectation around its prediction, by moments.

    With ``var(count) = m + phi m^2``, ``phi`` is ``sum((y - m)^2 - m) / sum(m^2)``. A gene with few spots or counts is
    drawn towards what all genes have together, as if 20 more spots of the pooled kind had been seen.

    Parameters
    ----------
    counts, expected
        ``(spots, genes)``: counts, and predictions that did not see them.

    Returns
    -------
    ``(genes,)``, at least :data:`LEAST`; 1 without spots.
    """
    if not len(counts):
        return np.ones(counts.shape[1])
    y, m = np.asarray(counts, dtype=np.float64), np.maximum(np.asarray(expected, dtype=np.float64), 1e-9)
    # in units of what the gene's estimate would vary by, so that abundant genes do not rule the pool
    precision = 1 / (1 + m)
    excess = ((y - m) ** 2 - m) * precision**2
    weight = (m * precision) ** 2
    prior = _PRIOR_SPOTS * float(weight.mean()) if weight.size else 0.0
    found = shrunk_dispersion(excess.sum(axis=0), weight.sum(axis=0), prior, LEAST)
    return np.maximum(found, LEAST)


def sqrt_error(counts: NDArray[np.floating], expected: NDArray[np.floating]) -> NDArray[np.float64]:
    """Root mean square error of each gene on the square-root scale, counting noise included; 1 without spots."""
    if not len(counts):
        return np.ones(counts.shape[1])
    return np.asarray(np.sqrt(((np.sqrt(counts) - np.sqrt(expected)) ** 2).mean(axis=0)), dtype=np.float64)


def expectation_draws(
    counts: NDArray[np.floating],
    predicted: NDArray[np.floating],
    phi: NDArray[np.floating],
    generator: np.random.Generator,
) -> NDArray[np.float32]:
    """Draw what spots' expectations may have been, given what was counted.

    With a gamma prior around the prediction ``m`` (shape ``1 / phi``) the expectation given a count ``y`` is gamma of
    shape ``y + 1 / phi`` and mean ``m (y + 1 / phi) / (m + 1 / phi)``. A gene that was never counted stays 0.

    Parameters
    ----------
    counts, predicted
        ``(spots, genes)``.
    phi
        ``(genes,)``: dispersion.
    generator
        Source of randomness.
    """
    shape = 1 / np.asarray(phi, dtype=np.float64)
    m = np.maximum(np.asarray(predicted, dtype=np.float64), 1e-9)
    y = np.asarray(counts, dtype=np.float64)
    # a gamma of small shape can underflow to 0, which no projection can reach
    drawn = np.maximum(generator.standard_gamma(y + shape), 1e-6) * (m / (m + shape))
    return np.where(y.sum(axis=0) > 0, drawn, 0).astype(np.float32)


def explained(rates: NDArray[np.floating]) -> NDArray[np.float64]:
    """Dispersion that draws of the rates have already, by gene: ``sum(var) / sum(mean^2)``.

    Parameters
    ----------
    rates
        ``(draws, spots, genes)``, at least two draws.
    """
    mean = rates.mean(axis=0, dtype=np.float64)
    return np.asarray(
        rates.var(axis=0, ddof=1, dtype=np.float64).sum(axis=0) / np.maximum((mean**2).sum(axis=0), 1e-12)
    )


def noise_sd(
    phi: NDArray[np.floating], of_draws: NDArray[np.floating] | float, least_share: float
) -> NDArray[np.float64]:
    """Standard deviation of a log-normal factor that brings draws up to a dispersion.

    Parameters
    ----------
    phi
        ``(genes,)``: dispersion wanted.
    of_draws
        ``(genes,)``: what the draws have; see :func:`explained`.
    least_share
        Share of ``phi`` that is kept for the factor in any case.
    """
    left = np.maximum(phi - of_draws, least_share * np.asarray(phi))
    return np.asarray(np.sqrt(np.log1p(left)), dtype=np.float64)
