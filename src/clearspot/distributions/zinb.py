"""The zero-inflated negative binomial distribution of DUSTED (equations 2.11 and 2.13)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from clearspot.distributions.nb import nb_log_prob, nb_log_zero, posterior_mean


def zinb_log_prob(x: Tensor, mean: Tensor, dispersion: Tensor, dropout_logit: Tensor) -> Tensor:
    r"""Log probability of counts under a zero-inflated negative binomial distribution (equation 2.11).

    .. math:: ZINB(x; \pi, \mu, \theta) = \pi\,\delta_0(x) + (1 - \pi)\,NB(x; \mu, \theta)

    The drop-out probability comes as its logit: near 0 and 1 the probability itself has no digits left, and
    ``log(pi + (1 - pi) * nb)`` would need an epsilon that changes the model.

    Parameters
    ----------
    x
        Counts: whole, not negative. All arguments broadcast.
    mean, dispersion
        As in :func:`clearspot.distributions.nb.nb_log_prob`.
    dropout_logit
        ``log(pi / (1 - pi))``, any real number.

    Returns
    -------
    Log probabilities, in the shape of the broadcast arguments.
    """
    log_not_dropped = logsigmoid(-dropout_logit)
    at_zero = torch.logaddexp(logsigmoid(dropout_logit), log_not_dropped + nb_log_zero(mean, dispersion))
    above_zero = log_not_dropped + nb_log_prob(x, mean, dispersion)
    return torch.where(x > 0, above_zero, at_zero)


def zinb_nll(x: Tensor, mean: Tensor, dispersion: Tensor, dropout_logit: Tensor) -> Tensor:
    """Mean negative log-likelihood of counts under the zero-inflated distribution (equation 2.13)."""
    return -zinb_log_prob(x, mean, dispersion, dropout_logit).mean()


def zinb_posterior_mean(x: Tensor, mean: Tensor, dispersion: Tensor, dropout_logit: Tensor) -> Tensor:
    """Mean of the rate behind a count before drop-out, once the count is known.

    A count above zero was not dropped, and says what it says under NB
    (:func:`clearspot.distributions.nb.posterior_mean`); a zero was dropped with the probability that its two
    explanations give, and then says nothing.

    Parameters
    ----------
    x, mean, dispersion, dropout_logit
        As in :func:`zinb_log_prob`.
    """
    kept = posterior_mean(x, mean, dispersion)
    dropped = torch.sigmoid(dropout_logit - nb_log_zero(mean, dispersion))
    return torch.where(x > 0, kept, dropped * mean + (1 - dropped) * kept)
