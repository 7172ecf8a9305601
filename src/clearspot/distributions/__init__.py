"""Count distributions: log probabilities that hold over the whole range of their parameters."""

from clearspot.distributions.gamma import log_rising_factorial
from clearspot.distributions.nb import nb_log_prob, nb_log_zero, nb_nll, posterior_mean
from clearspot.distributions.zinb import zinb_log_prob, zinb_nll, zinb_posterior_mean

__all__ = [
    "log_rising_factorial",
    "nb_log_prob",
    "nb_log_zero",
    "nb_nll",
    "posterior_mean",
    "zinb_log_prob",
    "zinb_nll",
    "zinb_posterior_mean",
]
