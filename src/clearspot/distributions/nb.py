"""The negative binomial distribution of DUSTED (equations 2.10 and 2.12)."""

from __future__ import annotations

import torch
from torch import Tensor

from clearspot.distributions.gamma import log_rising_factorial


def nb_log_zero(mean: Tensor, dispersion: Tensor) -> Tensor:
    """Log probability of a zero: ``-theta * log(1 + mu / theta)``."""
    return -dispersion * torch.log1p(mean / dispersion)


def nb_log_prob(x: Tensor, mean: Tensor, dispersion: Tensor) -> Tensor:
    r"""Log probability of counts under a negative binomial distribution (equation 2.10).

    .. math::
        NB(x; \mu, \theta) = \frac{\Gamma(x + \theta)}{\Gamma(\theta)\, x!}
        \left(\frac{\theta}{\theta + \mu}\right)^\theta \left(\frac{\mu}{\theta + \mu}\right)^x

    Parameters
    ----------
    x
        Counts: whole, not negative. All arguments broadcast.
    mean
        Mean ``mu``, positive.
    dispersion
        Inverse dispersion ``theta``, positive: the variance is ``mu + mu ** 2 / theta``.

    Returns
    -------
    Log probabilities, in the shape of the broadcast arguments.
    """
    x = x.to(mean.dtype)
    # log(mu / (theta + mu)), without the difference of two logarithms that a large x would magnify the rounding of
    log_odds = -torch.log1p(dispersion / mean)
    return nb_log_zero(mean, dispersion) + x * log_odds + log_rising_factorial(dispersion, x) - torch.lgamma(x + 1)


def nb_nll(x: Tensor, mean: Tensor, dispersion: Tensor) -> Tensor:
    """Mean negative log-likelihood of counts under a negative binomial distribution (equation 2.12)."""
    return -nb_log_prob(x, mean, dispersion).mean()


def posterior_mean(x: Tensor, mean: Tensor, dispersion: Tensor) -> Tensor:
    r"""Mean of the rate behind a count, once the count is known.

    A negative binomial count is a Poisson count whose rate is Gamma distributed with mean ``mu`` and shape ``theta``:

    .. math:: E[\lambda \mid x] = \mu\,\frac{\theta + x}{\theta + \mu}

    Large ``theta`` leaves ``mu``, small ``theta`` the count itself.

    Parameters
    ----------
    x, mean, dispersion
        As in :func:`nb_log_prob`.
    """
    return mean * (dispersion + x.to(mean.dtype)) / (dispersion + mean)
