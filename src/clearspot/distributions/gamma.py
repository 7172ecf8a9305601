"""Differences of log-gamma and digamma functions, without the cancellation of the textbook form.

``lgamma(x + theta) - lgamma(theta)`` loses all its digits in single precision once ``theta`` is large: at
``theta = 1e4`` both terms are near 8e4, where neighbouring floats are 0.008 apart. For a count ``x`` the difference is
the logarithm of the rising factorial ``theta (theta + 1) ... (theta + x - 1)``: a product of positive terms, exact to
rounding and without a single special function for the small counts that make up most of a count matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

DIRECT_FACTORS = 8
"""Counts up to here are multiplied out; ``(1e4 + 7) ** 8`` still fits a 32-bit float."""


def count_prefixes(x_descending: Tensor) -> tuple[int, ...]:
    """How many counts exceed 0, 1, ..., ``DIRECT_FACTORS``.

    Parameters
    ----------
    x_descending
        Counts in descending order, shape ``(n,)``.

    Returns
    -------
    Item ``k`` is the length of the leading part with ``x > k``.
    """
    steps = torch.arange(DIRECT_FACTORS + 1, device=x_descending.device, dtype=x_descending.dtype)
    return tuple(torch.searchsorted(-x_descending, -steps).tolist())


def rising_factorial_sorted(theta: Tensor, x_descending: Tensor, prefixes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Log rising factorial and its derivative, for counts sorted in descending order.

    Parameters
    ----------
    theta
        Inverse dispersions, positive, shape ``(n,)``.
    x_descending
        Counts, descending, shape ``(n,)``; all at least 1.
    prefixes
        What :func:`count_prefixes` says of ``x_descending``.

    Returns
    -------
    ``lgamma(x + theta) - lgamma(theta)`` and ``digamma(x + theta) - digamma(theta)``, shape ``(n,)`` each.
    """
    product = theta.clone()
    derivative = torch.ones_like(theta)
    for k in range(1, DIRECT_FACTORS):
        active = prefixes[k]
        if active == 0:
            break
        factor = theta[:active] + k
        derivative[:active] = torch.addcmul(product[:active], derivative[:active], factor)
        product[:active] *= factor
    log_factorial = product.log()
    digamma_difference = derivative / product
    large = prefixes[DIRECT_FACTORS]
    if large:
        log_tail, digamma_tail = _stirling_differences(
            theta[:large] + DIRECT_FACTORS, x_descending[:large] - DIRECT_FACTORS
        )
        log_factorial[:large] += log_tail
        digamma_difference[:large] += digamma_tail
    return log_factorial, digamma_difference


def _stirling_differences(y: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
    """``lgamma(y + d) - lgamma(y)`` and ``digamma(y + d) - digamma(y)`` for ``y >= 8``, to about 1e-9.

    Stirling's series of both, subtracted term by term, so that the large equal parts never appear.
    """
    end = y + d
    log_ratio = torch.log1p(d / y)
    log_gamma = (y - 0.5) * log_ratio + d * (end.log() - 1.0) + (_log_gamma_series(end) - _log_gamma_series(y))
    digamma = log_ratio - (_digamma_series(end) - _digamma_series(y))
    return log_gamma, digamma


def _log_gamma_series(y: Tensor) -> Tensor:
    inverse = 1.0 / y
    square = inverse * inverse
    return inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))


def _digamma_series(y: Tensor) -> Tensor:
    inverse = 1.0 / y
    square = inverse * inverse
    return 0.5 * inverse + square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))


class _LogRisingFactorial(torch.autograd.Function):
    """Any order and shape of counts: sort, compute, put back."""

    @staticmethod
    def forward(ctx, theta: Tensor, x: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        counts, order = x.flatten().sort(descending=True)
        positive = int(torch.count_nonzero(counts))
        order = order[:positive]
        counts = counts[:positive]
        value, slope = rising_factorial_sorted(theta.flatten()[order], counts, count_prefixes(counts))
        out = torch.zeros_like(theta).flatten()
        gradient = torch.zeros_like(out)
        out[order] = value
        gradient[order] = slope
        ctx.save_for_backward(gradient.view_as(theta))
        return out.view_as(theta)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_output: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        (gradient,) = ctx.saved_tensors
        return grad_output * gradient, None


def log_rising_factorial(theta: Tensor, x: Tensor) -> Tensor:
    """``lgamma(x + theta) - lgamma(theta)``, differentiable in ``theta``.

    Parameters
    ----------
    theta
        Inverse dispersions, positive; broadcasts with ``x``.
    x
        Counts: whole, not negative.
    """
    theta, x = torch.broadcast_tensors(theta, x.to(theta.dtype))
    return _LogRisingFactorial.apply(theta, x)
