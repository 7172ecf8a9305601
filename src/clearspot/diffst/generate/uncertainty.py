"""How sure a prediction is: mean, spread and intervals over samples, and whether those hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

_Floats = NDArray[np.floating]

FEWEST_DRAWS: Final = 8
"""Draws below which a 5 % quantile is mostly Student's t, and none is given."""


@dataclass(frozen=True)
class Summary:
    """What is reported of the samples of a block of genes; all of one shape, float32. NaN: not measured."""

    mean: NDArray[np.float32]
    sd: NDArray[np.float32]
    q05: NDArray[np.float32]
    q50: NDArray[np.float32]
    q95: NDArray[np.float32]

    def around(self, mean: NDArray[np.float32]) -> Summary:
        """Return the same spread about another mean; an interval that leaves the mean out is widened to it."""
        return replace(self, mean=mean, q05=np.minimum(self.q05, mean), q95=np.maximum(self.q95, mean))

    @classmethod
    def of_mean(cls, mean: NDArray[np.float32]) -> Summary:
        """A mean of which nobody knows the spread."""
        unknown = np.full_like(mean, np.nan)
        return cls(mean, unknown, unknown, unknown, unknown)


class RunningSummary:
    """Mean, standard deviation and quantiles of samples that come one at a time (Welford 1962); none is kept.

    A handful of samples has no 5 % quantile of its own. Samples are close to normal on the square-root scale, on which
    they are drawn, so quantiles are those of a further draw there: Student's t with the samples' mean and standard
    deviation (a prediction interval, which is wider the fewer samples there are), squared. Of fewer than
    :data:`FEWEST_DRAWS` none is made.

    Parameters
    ----------
    shape
        Of a sample, such as bins x genes.
    """

    def __init__(self, shape: tuple[int, ...]):
        self.n_samples = 0
        self._mean = np.zeros(shape, dtype=np.float32)
        self._squares = np.zeros(shape, dtype=np.float32)
        self._root_mean = np.zeros(shape, dtype=np.float32)
        self._root_squares = np.zeros(shape, dtype=np.float32)

    def add(self, sample: ArrayLike) -> None:
        """Take one sample in; values are not negative."""
        values = np.asarray(sample, dtype=np.float32)
        if values.shape != self._mean.shape:
            raise ValueError(f"a sample of shape {values.shape} where {self._mean.shape} is expected")
        self.n_samples += 1
        _update(self._mean, self._squares, values, self.n_samples)
        _update(self._root_mean, self._root_squares, np.sqrt(values), self.n_samples)

    @property
    def mean(self) -> NDArray[np.float32]:
        """Mean of the samples so far."""
        return self._mean

    @property
    def sd(self) -> NDArray[np.float32]:
        """Standard deviation of the samples so far (n - 1)."""
        return self._sd(self._squares)

    def quantile(self, share: float) -> NDArray[np.float32]:
        """Quantile of a further draw; NaN with fewer than :data:`FEWEST_DRAWS` samples."""
        if self.n_samples < FEWEST_DRAWS:
            return np.full_like(self._root_mean, np.nan)
        reach = stats.t.ppf(share, self._freedom) * np.sqrt(1 + 1 / self.n_samples)
        root = self._root_mean + np.float32(reach) * self._sd(self._root_squares)
        return np.maximum(root, 0) ** 2

    def result(self) -> Summary:
        """Everything that is reported.

        Raises
        ------
        ValueError
            With fewer than two samples, which have no spread.
        """
        return Summary(self.mean.copy(), self.sd, *(self.quantile(share) for share in (0.05, 0.5, 0.95)))

    @property
    def _freedom(self) -> int:
        if self.n_samples < 2:
            raise ValueError(f"a spread needs at least two samples, not {self.n_samples}")
        return self.n_samples - 1

    def _sd(self, squares: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.sqrt(squares / np.float32(self._freedom))


def _update(mean: NDArray[np.float32], squares: NDArray[np.float32], values: NDArray[np.float32], number: int) -> None:
    before = values - mean
    mean += before / np.float32(number)
    squares += before * (values - mean)


def coverage(truth: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> float:
    """Share of truths inside their interval, ends included; NaN without any."""
    values = np.asarray(truth)
    inside = (values >= np.asarray(lower)) & (values <= np.asarray(upper))
    return float(inside.mean()) if inside.size else float("nan")


def count_interval(mean: ArrayLike, sd: ArrayLike, level: float = 0.9) -> tuple[_Floats, _Floats]:
    """Central interval of a *count* whose expectation is uncertain: what held-out counts are compared with.

    The count is Poisson given its expectation, so its variance is ``mean + sd^2``; the interval is that of the negative
    binomial (a Poisson mixed over a gamma) with these moments.

    Parameters
    ----------
    mean, sd
        Of the expectation.
    level
        Nominal coverage. That of small counts is larger, as they are whole numbers.
    """
    rate = np.maximum(np.asarray(mean, dtype=np.float64), 1e-9)
    variance = np.maximum(np.asarray(sd, dtype=np.float64) ** 2, 1e-9 * rate)
    size = rate**2 / variance
    tail = (1 - level) / 2
    return tuple(stats.nbinom.ppf(share, size, size / (size + rate)) for share in (tail, 1 - tail))


def crps_from_samples(truth: ArrayLike, samples: ArrayLike) -> _Floats:
    """Continuous ranked probability score of an ensemble, without the bias of its size.

    ``mean_i |x_i - y| - sum_ij |x_i - x_j| / (2 m (m - 1))``: the fair estimator (Ferro 2014, Q. J. R. Meteorol. Soc.
    140:1917, eq. 6), the double sum from sorted samples. It can be slightly negative.

    Parameters
    ----------
    truth
        Any shape.
    samples
        (m, *shape of truth), m at least 1. A single sample is a point prediction, whose score is its absolute error.

    Returns
    -------
    Scores, shape of truth; lower is better.
    """
    values = np.asarray(truth, dtype=np.float64)
    drawn = np.sort(np.asarray(samples, dtype=np.float64), axis=0)
    if drawn.ndim != values.ndim + 1 or drawn.shape[1:] != values.shape:
        raise ValueError(f"samples of shape {drawn.shape} for truths of shape {values.shape}")
    number = len(drawn)
    error = np.zeros_like(values)
    spread = np.zeros_like(values)
    for place, sample in enumerate(drawn):
        error += np.abs(sample - values)
        spread += (2 * place + 1 - number) * sample
    return error / number - (spread / (number * (number - 1)) if number > 1 else 0)


def crps_gaussian(truth: ArrayLike, mean: ArrayLike, sd: ArrayLike) -> _Floats:
    """Continuous ranked probability score of a normal distribution (Gneiting & Raftery 2007, JASA 102:359, eq. 21)."""
    scale = np.maximum(np.asarray(sd, dtype=np.float64), 1e-12)
    z = (np.asarray(truth, dtype=np.float64) - np.asarray(mean)) / scale
    score: _Floats = scale * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    return score
