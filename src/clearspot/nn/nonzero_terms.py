"""Loss and gradients of the counts above zero, entry by entry.

With ``mu``, ``theta``, ``L`` and ``c`` as in :mod:`clearspot.nn.zero_terms` a count ``x`` has the negative
log-likelihood ``theta L + x log(1 + theta / mu) - log(Gamma(x + theta) / Gamma(theta)) + log(x!)``, plus
``softplus(c)`` for not having been dropped.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from clearspot.distributions.gamma import rising_factorial_sorted
from clearspot.nn.count_blocks import CountBlock
from clearspot.nn.output_activations import DISPERSION_LOGIT_BOUNDS, MEAN_LOGIT_BOUNDS


class NonzeroTerms(NamedTuple):
    """What the counts above zero contribute.

    Parameters
    ----------
    correction
        Sum of their negative log-likelihoods, less what they would be worth as zeros, shape ``()``.
    gradients
        Of their negative log-likelihoods in each head's logits, shape ``(n_counts,)`` each.
    """

    correction: Tensor
    gradients: tuple[Tensor, ...]


def nonzero_terms(logits: tuple[Tensor, ...], block: CountBlock) -> NonzeroTerms:
    """Counts above zero under NB (two heads) or ZINB (three heads).

    Parameters
    ----------
    logits
        Of mean, dispersion and, under ZINB, drop-out at ``block.entry``, shape ``(n_counts,)`` each.
    block
        The counts.
    """
    a, b = logits[0].clamp(*MEAN_LOGIT_BOUNDS), logits[1].clamp(*DISPERSION_LOGIT_BOUNDS)
    mu = a.exp() * block.size_factor
    theta = b.clamp(min=0.0) + _log1p(b.abs().neg_().exp_())
    ratio = mu / theta
    log_ratio = _log1p(ratio)
    share = 1.0 / (1.0 + ratio)
    above = ratio * share
    log_factorial, digamma_difference = rising_factorial_sorted(theta, block.x, block.prefixes)
    as_zero = theta * log_ratio
    nll = as_zero + block.x * _log1p(theta / mu) - log_factorial
    d_mean = (mu - block.x) * share * (a == logits[0])
    d_theta = log_ratio - above + block.x * share / theta - digamma_difference
    d_dispersion = d_theta * torch.sigmoid(b) * (b == logits[1])
    if len(logits) == 2:
        return NonzeroTerms((nll - as_zero).sum() + block.log_factorials, (d_mean, d_dispersion))
    c = logits[2]
    # softplus(c) for the count itself; minus softplus(-c) - softplus(-e) for the zero it is not
    kept = c + _softplus(-(c + as_zero))
    return NonzeroTerms((nll + kept).sum() + block.log_factorials, (d_mean, d_dispersion, torch.sigmoid(c)))


def _log1p(x: Tensor) -> Tensor:
    one_plus = 1.0 + x
    return one_plus.log().addcdiv_(x - (one_plus - 1.0), one_plus)


def _softplus(x: Tensor) -> Tensor:
    return x.clamp(min=0.0) + _log1p(x.abs().neg_().exp_())
