"""Does diffusion pay on this section? MeanNet and diffusion are scored on spots that training never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.sampling import add_residual
from clearspot.diffst.uncertainty import coverage, crps_from_samples, crps_gaussian
from clearspot.diffst.view import View, Window

MIN_SPOTS: Final = 8
"""Held-out spots below which nothing can be said; half of them choose the amplitude, half score it."""

AMPLITUDES: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Factors on the drawn residual that are tried: it was learned one scale up, and need not be as large here."""

_MAX_SIDE: Final = 192
_CORRELATION_LOSS: Final = 0.005
_LEVEL: Final = 0.9


@dataclass(frozen=True)
class Verdict:
    """Scores on held-out spots, over all genes; counts in square-root space, lower CRPS is better.

    Parameters
    ----------
    n_spots
        Spots that scored.
    amplitude
        Factor on the residual, chosen on as many other held-out spots.
    crps_mean_poisson, crps_mean_gaussian
        Of MeanNet with Poisson noise, and with each gene's Gaussian error on the other half.
    crps_diffusion
        Of the draws with Poisson noise.
    correlation_mean, correlation_diffusion
        Mean over genes of the signed Pearson correlation with the held-out counts.
    coverage_mean, coverage_diffusion
        Share of the held-out counts inside the 90 % interval (with Poisson noise).
    diffusion_wins
        Whether diffusion has the lower CRPS and no lower correlation: then the output's mean is its mean.
    """

    n_spots: int
    amplitude: float
    crps_mean_poisson: float
    crps_mean_gaussian: float
    crps_diffusion: float
    correlation_mean: float
    correlation_diffusion: float
    coverage_mean: float
    coverage_diffusion: float
    diffusion_wins: bool

    def as_dict(self) -> dict[str, Any]:
        """For the record and the checkpoint."""
        return asdict(self)


def scoring_window(view: View, held_out: NDArray[np.bool_]) -> Window:
    """The whole grid where it is small, else the window of 192 x 192 bins around the middle of the held-out spots."""
    if max(view.shape) <= _MAX_SIDE:
        return slice(0, view.shape[0]), slice(0, view.shape[1])
    boxes = view.extents[held_out & (view.extents[:, 0] >= 0)]
    window = []
    for middle, length in zip((boxes[:, 0], boxes[:, 2]), view.shape, strict=True):
        side = min(_MAX_SIDE, length)
        first = int(np.clip(np.median(middle) - side // 2, 0, length - side)) // 8 * 8
        window.append(slice(first, first + side))
    return window[0], window[1]


def compare(
    view: View,
    held_out: NDArray[np.bool_],
    loadings: NDArray[np.float32],
    mean: NDArray[np.float32],
    residuals: list[NDArray[np.float32]],
    residual_sd: NDArray[np.float32],
    seed: int,
) -> Verdict | None:
    """Score both stages.

    Parameters
    ----------
    view
        The window that was sampled, with the counts of all spots.
    held_out
        ``(spots,)``: what the networks did not see, neither in training nor here.
    loadings
        ``(programs, genes)``.
    mean, residuals
        Stage 1's programs, and draws of stage 2.
    residual_sd
        Of each program.
    seed
        Of the split in halves and of the counting noise.

    Returns
    -------
    None where fewer than :data:`MIN_SPOTS` are in the window, or a single draw was made.
    """
    window = (slice(0, view.shape[0]), slice(0, view.shape[1]))
    spots = np.flatnonzero(held_out & view.spots_inside(window))
    if len(spots) < MIN_SPOTS or len(residuals) < 2 or view.counts is None:
        return None
    generator = np.random.default_rng([seed, 21])
    generator.shuffle(spots)
    operator = view.operator[spots]
    counts = view.counts[spots].toarray()

    def rates(programs: NDArray[np.float32]) -> NDArray[np.float64]:
        amounts = operator @ (programs * view.scale[:, None, None]).reshape(len(programs), -1).T
        return np.asarray(amounts @ loadings, dtype=np.float64)

    def drawn(amplitude: float) -> NDArray[np.float64]:
        return np.stack([rates(add_residual(mean, residual, residual_sd, amplitude)) for residual in residuals])

    half = len(spots) // 2
    choose, score = slice(0, half), slice(half, None)
    noise = _poisson(seed)
    by_amplitude = {amplitude: _crps(counts[choose], noise(drawn(amplitude)[:, choose])) for amplitude in AMPLITUDES}
    amplitude = min(by_amplitude, key=by_amplitude.__getitem__)
    draws = drawn(amplitude)[:, score]
    own = rates(mean)
    truth = counts[score]
    repeated = np.broadcast_to(own[score], (len(residuals), *own[score].shape))
    error = np.sqrt(np.mean((np.sqrt(counts[choose]) - np.sqrt(own[choose])) ** 2, axis=0))
    noisy_mean, noisy_draws = noise(repeated), noise(draws)
    crps = {
        "crps_mean_poisson": _crps(truth, noisy_mean),
        "crps_mean_gaussian": float(np.mean(crps_gaussian(np.sqrt(truth), np.sqrt(own[score]), error))),
        "crps_diffusion": _crps(truth, noisy_draws),
    }
    correlation_mean = _correlation(truth, own[score])
    correlation_diffusion = _correlation(truth, draws.mean(axis=0))
    wins = crps["crps_diffusion"] < min(crps["crps_mean_poisson"], crps["crps_mean_gaussian"])
    return Verdict(
        n_spots=len(spots) - half,
        amplitude=amplitude,
        **crps,
        correlation_mean=correlation_mean,
        correlation_diffusion=correlation_diffusion,
        coverage_mean=_coverage(truth, noise(np.repeat(repeated, 8, axis=0))),
        coverage_diffusion=_coverage(truth, noise(np.repeat(draws, 8, axis=0))),
        diffusion_wins=bool(wins and correlation_diffusion >= correlation_mean - _CORRELATION_LOSS),
    )


def _poisson(seed: int) -> Callable[[NDArray[Any]], NDArray[np.float64]]:
    """Counting noise from the same generator each time, so that two forecasts differ by their rates alone."""

    def noise(rate: NDArray[Any]) -> NDArray[np.float64]:
        return np.random.default_rng([seed, 22]).poisson(rate).astype(np.float64)

    return noise


def _crps(truth: NDArray[Any], draws: NDArray[Any]) -> float:
    return float(np.mean(crps_from_samples(np.sqrt(truth), np.sqrt(draws))))


def _correlation(truth: NDArray[Any], predicted: NDArray[Any]) -> float:
    """Mean over the genes that vary in both."""
    t, p = truth - truth.mean(axis=0), predicted - predicted.mean(axis=0)
    norm = np.sqrt((t**2).sum(axis=0) * (p**2).sum(axis=0))
    varying = norm > 1e-12
    return float(((t * p).sum(axis=0)[varying] / norm[varying]).mean()) if varying.any() else 0.0


def _coverage(truth: NDArray[Any], draws: NDArray[Any]) -> float:
    lower, upper = np.quantile(draws, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=0)
    return coverage(truth, lower, upper)
