"""The formulas of :mod:`clearspot.nn.zero_terms`, arranged for plain PyTorch on a processor.

Same values, three differences. Every pass writes into memory that is already there: a fresh temporary of this size
costs more in page faults than its arithmetic. ``log(1 + x)`` is ``log`` with a first-order correction, because
PyTorch's ``log1p`` and ``softplus`` are not vectorised on every processor (12 ns an entry against 1). And what lies
outside the bounds of mean and dispersion is only masked where there is any.
"""

from __future__ import annotations

import torch
from torch import Tensor

from clearspot.nn.output_activations import DISPERSION_LOGIT_BOUNDS, MEAN_LOGIT_BOUNDS

N_BUFFERS = 6


class Workspace:
    """Scratch memory of one block, kept from block to block and from epoch to epoch."""

    def __init__(self) -> None:
        self._buffers: list[Tensor] = []

    def like(self, block: Tensor) -> list[Tensor]:
        """``N_BUFFERS`` tensors of the shape and type of ``block``, with anything in them."""
        if not self._buffers or self._buffers[0].numel() < block.numel() or self._buffers[0].dtype != block.dtype:
            self._buffers = [torch.empty_like(block).flatten() for _ in range(N_BUFFERS)]
        return [buffer[: block.numel()].view_as(block) for buffer in self._buffers]


def nb_zero_terms_(a: Tensor, b: Tensor, size_factor: Tensor, workspace: Workspace) -> tuple[Tensor, Tensor]:
    """:func:`clearspot.nn.zero_terms.nb_zero_terms`, the gradients written over the logits.

    Returns
    -------
    Sum of negative log-likelihoods and sum of expected counts, shape ``()`` each.
    """
    ratio, log_ratio, share, slope, spare, _ = workspace.like(a)
    inside = _nb_parts_(a, b, size_factor, ratio, log_ratio, share, slope, spare)
    loss = torch.mul(b, log_ratio, out=spare).sum()
    expected = a.sum()
    a.mul_(share)
    torch.mul(log_ratio.addcmul_(ratio, share, value=-1.0), slope, out=b)
    _mask_(a, b, inside)
    return loss, expected


def zinb_zero_terms_(
    a: Tensor, b: Tensor, c: Tensor, size_factor: Tensor, workspace: Workspace
) -> tuple[Tensor, Tensor]:
    """:func:`clearspot.nn.zero_terms.zinb_zero_terms`, the gradients written over the logits.

    Returns
    -------
    Sum of negative log-likelihoods and sum of expected counts, shape ``()`` each.
    """
    ratio, log_ratio, share, slope, e, spare = workspace.like(a)
    inside = _nb_parts_(a, b, size_factor, ratio, log_ratio, share, slope, spare)
    torch.addcmul(c, b, log_ratio, out=e)
    # softplus(-c) - softplus(-e), both in the form max(-x, 0) + log(1 + exp(-|x|)), with one logarithm for the two
    # (theta, in b, is spent)
    numerator = torch.abs(c, out=b).neg_().exp_().add_(1.0)
    denominator = torch.abs(e, out=spare).neg_().exp_().add_(1.0)
    loss = numerator.div_(denominator).log_().sum()
    loss = loss + torch.clamp(e, max=0.0, out=spare).sum() - torch.clamp(c, max=0.0, out=spare).sum()
    not_dropped = c.neg_().sigmoid_()
    expected = torch.mul(a, not_dropped, out=spare).sum()
    from_nb = e.neg_().sigmoid_()
    a.mul_(share).mul_(from_nb)
    torch.mul(log_ratio.addcmul_(ratio, share, value=-1.0).mul_(from_nb), slope, out=b)
    torch.sub(from_nb, not_dropped, out=c)
    _mask_(a, b, inside)
    return loss, expected


def _nb_parts_(
    a: Tensor,
    b: Tensor,
    size_factor: Tensor,
    ratio: Tensor,
    log_ratio: Tensor,
    share: Tensor,
    slope: Tensor,
    spare: Tensor,
) -> tuple[Tensor | None, Tensor | None]:
    """Turn ``a`` into the mean and ``b`` into the dispersion, and fill the five buffers after which they are named."""
    inside = (_clamp_(a, MEAN_LOGIT_BOUNDS), _clamp_(b, DISPERSION_LOGIT_BOUNDS))
    a.exp_().mul_(size_factor)
    torch.sigmoid(b, out=slope)
    torch.abs(b, out=ratio).neg_().exp_()
    _log1p(ratio, out=log_ratio, reciprocal=share, spare=spare)
    torch.add(log_ratio, b.clamp_(min=0.0), out=b)
    torch.div(a, b, out=ratio)
    _log1p(ratio, out=log_ratio, reciprocal=share, spare=spare)
    return inside


def _log1p(x: Tensor, *, out: Tensor, reciprocal: Tensor, spare: Tensor) -> None:
    """``log(1 + x)`` and ``1 / (1 + x)``: what rounding took from ``1 + x`` is given back to first order."""
    one_plus = torch.add(x, 1.0, out=spare)
    torch.log(one_plus, out=out)
    torch.reciprocal(one_plus, out=reciprocal)
    lost = torch.sub(x, one_plus.sub_(1.0), out=spare)
    out.addcmul_(lost, reciprocal)


def _clamp_(logit: Tensor, bounds: tuple[float, float]) -> Tensor | None:
    """Clamp in place; say what lay inside, or ``None`` where everything did."""
    low, high = torch.aminmax(logit)
    if bounds[0] <= float(low) and float(high) <= bounds[1]:
        return None
    inside = (logit >= bounds[0]) & (logit <= bounds[1])
    logit.clamp_(*bounds)
    return inside


def _mask_(a: Tensor, b: Tensor, inside: tuple[Tensor | None, Tensor | None]) -> None:
    for gradient, mask in zip((a, b), inside, strict=True):
        if mask is not None:
            gradient.mul_(mask)
