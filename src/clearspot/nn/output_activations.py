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


def linked_(output: Tensor, intercept: Tensor) -> Tensor:
    r"""Turn ``h`` into the logarithm of ``exp(intercept) (1 + ELU(h))``, in place.

    ``1 + ELU(h)`` is ``1 + h`` above 0 and ``exp(h)`` below: programs that raise a gene add up, as cells in a spot do,
    and no mean is negative. The paper has ``exp(h)`` throughout.

    Parameters
    ----------
    output
        ``h``, output of the mean's layer without its intercept, shape ``(n_spots, n_genes)``; overwritten.
    intercept
        Shape ``(n_genes,)``.

    Returns
    -------
    Derivative of the result in ``h``, same shape.
    """
    above = output.clamp(min=0.0)
    output.sub_(above)
    above.add_(1.0)
    output.add_(above.log()).add_(intercept)
    return above.reciprocal_()


def dispersion_activation(logit: Tensor) -> Tensor:
    """Inverse dispersion ``Theta = log(1 + exp(h))`` within ``DISPERSION_BOUNDS`` (equation 2.6)."""
    return softplus(logit.clamp(*DISPERSION_LOGIT_BOUNDS))


def dropout_activation(logit: Tensor) -> Tensor:
    """Drop-out probability ``Pi = sigmoid(h)`` (equation 2.7)."""
    return torch.sigmoid(logit)
