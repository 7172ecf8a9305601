"""Loss and gradients of a dense block as if every count in it were zero.

80 to 98 % of all entries are. The few others are put right by :mod:`clearspot.nn.nonzero_terms`, so no special function
of ``x`` is ever evaluated on the dense block. These are the formulas as one writes them down, the form that
``torch.compile`` is given; :mod:`clearspot.nn.zero_terms_inplace` has the same ones arranged for plain PyTorch.

With ``mu = s exp(a)``, ``theta = softplus(b)`` and ``L = log(1 + mu / theta)`` the negative log-likelihood of a zero is
``theta L`` under the negative binomial; with drop-out logit ``c`` and ``e = c + theta L`` it is
``softplus(-c) - softplus(-e)``, which stays exact where the drop-out probability has run into 0 or 1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from clearspot.nn.output_activations import DISPERSION_LOGIT_BOUNDS, MEAN_LOGIT_BOUNDS


class ZeroTerms(NamedTuple):
    """What a block of zeros contributes.

    Parameters
    ----------
    loss
        Sum of negative log-likelihoods, shape ``()``.
    expected
        Sum of expected counts (the mean, less what drop-out takes), shape ``()``.
    gradients
        Of the loss in each head's logits, in the logits' shape.
    """

    loss: Tensor
    expected: Tensor
    gradients: tuple[Tensor, ...]


def nb_zero_terms(a: Tensor, b: Tensor, size_factor: Tensor) -> ZeroTerms:
    """Zeros under the negative binomial (equations 2.5, 2.6, 2.10 and 2.12).

    Parameters
    ----------
    a, b
        Logits of mean and dispersion, shape ``(n_rows, n_genes)``.
    size_factor
        Shape ``(n_rows, 1)``.
    """
    mu, theta, log_ratio, d_mean, d_dispersion = _nb_parts(a, b, size_factor)
    loss = (theta * log_ratio).sum()
    return ZeroTerms(loss, mu.sum(), (d_mean, d_dispersion))


def zinb_zero_terms(a: Tensor, b: Tensor, c: Tensor, size_factor: Tensor) -> ZeroTerms:
    """Zeros under the zero-inflated negative binomial (equations 2.5 to 2.7, 2.11 and 2.13).

    Parameters
    ----------
    a, b, c
        Logits of mean, dispersion and drop-out, shape ``(n_rows, n_genes)``.
    size_factor
        Shape ``(n_rows, 1)``.
    """
    mu, theta, log_ratio, d_mean, d_dispersion = _nb_parts(a, b, size_factor)
    e = c + theta * log_ratio
    from_nb = torch.sigmoid(-e)
    not_dropped = torch.sigmoid(-c)
    loss = (softplus(-c) - softplus(-e)).sum()
    return ZeroTerms(loss, (mu * not_dropped).sum(), (d_mean * from_nb, d_dispersion * from_nb, from_nb - not_dropped))


def _nb_parts(a: Tensor, b: Tensor, size_factor: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    clamped_a, clamped_b = a.clamp(*MEAN_LOGIT_BOUNDS), b.clamp(*DISPERSION_LOGIT_BOUNDS)
    mu = clamped_a.exp() * size_factor
    theta = softplus(clamped_b)
    ratio = mu / theta
    log_ratio = torch.log1p(ratio)
    share = 1 / (1 + ratio)
    d_mean = mu * share * (a == clamped_a)
    d_dispersion = (log_ratio - ratio * share) * torch.sigmoid(clamped_b) * (b == clamped_b)
    return mu, theta, log_ratio, d_mean, d_dispersion
