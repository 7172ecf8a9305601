"""From the decoder's last layer to the parameters of the count distribution (equations 2.5 to 2.7)."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import softplus

MEAN_BOUNDS: Final = (1e-5, 1e6)
DISPERSION_BOUNDS: Final = (1e-4, 1e4)

MEAN_LOGIT_BOUNDS: Final = (math.log(MEAN_BOUNDS[0]), math.log(MEAN_BOUNDS[1]))
"""The bounds before the exponential; clamping here or there is the same function with the same gradient."""

DISPERSION_LOGIT_BOUNDS: Final = (math.log(math.expm1(DISPERSION_BOUNDS[0])), DISPERSION_BOUNDS[1])
"""The bounds before the softplus, which is the identity at its upper end."""


def mean_activation(logit: Tensor, size_factor: Tensor) -> Tensor:
    """Mean ``M = s * exp(h)`` in counts, the exponential within ``MEAN_BOUNDS`` (equation 2.5).

    Parameters
    ----------
    logit
        Output of the mean's layer, shape ``(n_spots, n_genes)``.
    size_factor
        Total counts of the spot over the median spot's, broadcast to the same shape. The paper's equation has no such
        factor, its public code has; without it the layer would have to learn each spot's sequencing depth.
    """
    return logit.clamp(*MEAN_LOGIT_BOUNDS).exp() * size_factor


def dispersion_activation(logit: Tensor) -> Tensor:
    """Inverse dispersion ``Theta = log(1 + exp(h))`` within ``DISPERSION_BOUNDS`` (equation 2.6)."""
    return softplus(logit.clamp(*DISPERSION_LOGIT_BOUNDS))


def dropout_activation(logit: Tensor) -> Tensor:
    """Drop-out probability ``Pi = sigmoid(h)`` (equation 2.7)."""
    return torch.sigmoid(logit)
