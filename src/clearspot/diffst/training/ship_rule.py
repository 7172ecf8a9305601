"""Does diffusion pay on this section? What would be written with it and without is scored on spots never seen.

Three forecasts can be written: MeanNet's mean with the genes' own noise, the same with the diffusion's draws centred on
it, and the draws as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.data.holdout import Split
from clearspot.diffst.data.view import View, Window
from clearspot.diffst.estimate.dispersion import dispersion, explained, noise_sd, sqrt_error
from clearspot.diffst.generate.decoding import UNEXPLAINED
from clearspot.diffst.generate.gene_field import GeneField
from clearspot.diffst.generate.sampling import add_residual, centring
from clearspot.diffst.generate.uncertainty import count_interval, coverage, crps_from_samples, crps_gaussian
from clearspot.diffst.generate.verdict import Verdict

MIN_SPOTS: Final = 8
"""Held-out spots below which nothing can be said; half of them choose, half score."""

AMPLITUDES: Final = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Factors on the drawn residual that are tried: it was learned one scale up, and need not be as large here."""

INDIFFERENCE: Final = 0.01
"""Difference in CRPS, as a share of it, that says nothing, on some hundred spots.

By more than that a factor on the spread must be better to be preferred to one nearer to 1 (spots average the detail
below their size, so they only veto), diffusion's mean to be preferred to MeanNet's, and no draws at all to draws
around MeanNet's mean.
"""

CORRELATION_LOSS: Final = 0.005
"""Difference in correlation that says nothing, on some hundred spots."""

_MAX_SIDE: Final = 192
_LEVEL: Final = 0.9


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


@dataclass(frozen=True)
class Forecast:
    """What both stages say about a window.

    Parameters
    ----------
    view
        The window.
    loadings
        ``(programs, genes)``.
    mean
        ``(programs, rows, columns)``: stage 1's.
    residuals
        Draws of stage 2, each of that shape.
    residual_sd
        ``(programs,)``.
    """

    view: View
    loadings: NDArray[np.float32]
    mean: NDArray[np.float32]
    residuals: Sequence[NDArray[np.float32]]
    residual_sd: NDArray[np.float32]

    def draws(self, amplitude: float, *, centred: bool) -> Iterator[NDArray[np.float32]]:
        """Programs of every draw, around their own mean or centred on stage 1's."""
        programs = [add_residual(self.mean, one, self.residual_sd, amplitude) for one in self.residuals]
        factor = centring(self.mean, programs) if centred else 1
        return (one * factor for one in programs)


def compare(
    forecast: Forecast,
    split: Split,
    counts: sp.csr_matrix,
    pairs: tuple[NDArray[np.floating], NDArray[np.floating]],
    *,
    seed: int,
) -> Verdict | None:
    """Score both stages.

    Parameters
    ----------
    forecast
        Of the window that was sampled.
    split
        Spots that were shown, those that choose the amplitude, and those that score.
    counts
        ``(spots, genes)``: of all spots.
    pairs
        Counts and predictions of hidden spots, which say how far off predictions are; see
        :func:`clearspot.diffst.data.hidden_pairs.hidden_pairs`.
    seed
        Of the noise.

    Returns
    -------
    None where fewer than :data:`MIN_SPOTS` are in the window, or a single draw was made.
    """
    view, loadings, mean, number = forecast.view, forecast.loadings, forecast.mean, len(forecast.residuals)
    inside = view.spots_inside((slice(0, view.shape[0]), slice(0, view.shape[1])))
    choose, score = np.flatnonzero(split.choosing & inside), np.flatnonzero(split.scoring & inside)
    if min(len(choose), len(score)) < MIN_SPOTS // 2 or number < 2:
        return None
    phi = dispersion(*pairs)
    spots = np.concatenate([choose, score])
    operator = view.operator[spots]
    area = np.asarray(operator.sum(axis=1))[:, None]
    field = GeneField(view, split.training, mean, loadings, counts)
    own_factor = np.asarray(operator @ field(slice(0, len(phi)))) / area

    def rates(programs: NDArray[np.float32]) -> NDArray[np.float64]:
        amounts = operator @ (programs * view.scale[:, None, None]).reshape(len(programs), -1).T
        return np.asarray((amounts @ loadings) * own_factor, dtype=np.float64)

    def strayed(plain: NDArray[np.float64], of_draws: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return plain * _strayed(noise_sd(phi, of_draws, UNEXPLAINED), plain.shape, seed)

    first, last = slice(0, len(choose)), slice(len(choose), None)
    truth = counts[spots].toarray().astype(np.float64)
    noise = _poisson(seed)
    means, full, chosen = {}, {}, {}
    for name, nearest in (("spread", 1.0), ("diffusion", None)):
        candidates = {
            amplitude: np.stack([rates(one) for one in forecast.draws(amplitude, centred=name == "spread")])
            for amplitude in AMPLITUDES
        }
        with_noise = {amplitude: strayed(plain, explained(plain)) for amplitude, plain in candidates.items()}
        scores = {amplitude: _crps(truth[first], noise(rate[:, first])) for amplitude, rate in with_noise.items()}
        chosen[name] = chosen_amplitude(scores, nearest)
        means[name], full[name] = candidates[chosen[name]].mean(axis=0)[last], with_noise[chosen[name]][:, last]
    own = rates(mean)
    repeated = np.broadcast_to(own, (number, *own.shape))
    dispersed = strayed(repeated, 0.0)[:, last]
    crps = {
        "crps_mean_poisson": _crps(truth[last], noise(repeated[:, last])),
        "crps_mean_gaussian": float(
            np.mean(crps_gaussian(np.sqrt(truth[last]), np.sqrt(own[last]), sqrt_error(*pairs)))
        ),
        "crps_mean": _crps(truth[last], noise(dispersed)),
        "crps_spread": _crps(truth[last], noise(full["spread"])),
        "crps_diffusion": _crps(truth[last], noise(full["diffusion"])),
    }
    correlation_mean = _correlation(truth[last], own[last])
    correlation_diffusion = _correlation(truth[last], means["diffusion"])
    best_other = min(crps["crps_mean"], crps["crps_spread"])
    wins = crps["crps_diffusion"] < (1 - INDIFFERENCE) * best_other
    return Verdict(
        n_spots=len(score),
        amplitude=chosen["diffusion"],
        amplitude_of_spread=chosen["spread"],
        **crps,
        correlation_mean=correlation_mean,
        correlation_diffusion=correlation_diffusion,
        coverage_mean=_coverage(truth[last], dispersed),
        coverage_spread=_coverage(truth[last], full["spread"]),
        coverage_diffusion=_coverage(truth[last], full["diffusion"]),
        diffusion_wins=bool(wins and correlation_diffusion >= correlation_mean - CORRELATION_LOSS),
        spread_is_of_draws=bool((1 - INDIFFERENCE) * crps["crps_spread"] <= crps["crps_mean"]),
    )


def chosen_amplitude(scores: Mapping[float, float], nearest: float | None) -> float:
    """Factor with the lowest score or, of those that are hardly worse, the one nearest to ``nearest``, by ratio."""
    lowest = min(scores, key=scores.__getitem__)
    if nearest is None:
        return lowest
    as_good = (factor for factor, score in scores.items() if score <= (1 + INDIFFERENCE) * scores[lowest])
    return min(as_good, key=lambda factor: abs(math.log(factor / nearest)))


def _coverage(truth: NDArray[np.float64], draws: NDArray[np.float64]) -> float:
    return coverage(truth, *count_interval(draws.mean(axis=0), draws.std(axis=0, ddof=1), _LEVEL))


def _strayed(sd: NDArray[np.float64], shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
    """Log-normal factors of mean 1 for ``(draws, spots, genes)``: the genes' own noise, as spots see it."""
    normal = np.random.default_rng([seed, 23]).standard_normal(shape)
    return np.asarray(np.exp(sd * normal - sd**2 / 2))


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
