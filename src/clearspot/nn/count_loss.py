"""The output layer and its likelihood in one piece, block of rows by block of rows.

Written out, mean, dispersion and drop-out of every spot and gene, with what autograd keeps of them, are by far the
largest things in the model. Here a block of rows is projected, its loss and gradients are taken analytically, the
gradients are multiplied back onto inputs and weights, and the block is forgotten: ``n_spots x 3 n_genes`` never exists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from clearspot.nn.count_blocks import CountBlock
from clearspot.nn.dense_product import raw_product
from clearspot.nn.nonzero_terms import nonzero_terms
from clearspot.nn.output_activations import MEAN_LOGIT_BOUNDS, linked_
from clearspot.nn.zero_terms import ZeroTerms, nb_zero_terms, zinb_zero_terms
from clearspot.nn.zero_terms_inplace import Workspace, nb_zero_terms_, zinb_zero_terms_

ROWS_PER_PASS = 64
"""Rows of the dense passes on a processor: a buffer of 64 x 3,000 floats stays in its cache."""


@dataclass(frozen=True)
class HeldOut:
    """Counts that were kept from training, to be predicted.

    Parameters
    ----------
    blocks
        The held-out counts in the same blocks as the training counts.
    ratio
        Held-out counts expected per training count: ``h / (1 - h)`` for a held-out fraction ``h``.
    """

    blocks: Sequence[CountBlock]
    ratio: float


@dataclass
class CountLoss:
    """Sum of negative log-likelihoods of a section's counts, given the inputs of the output layer.

    Parameters
    ----------
    compute
        Precision of the dense products.
    compiled
        ``torch.compile`` the dense passes (needs a C++ compiler, or Triton on a GPU).
    mean_link
        ``exp`` or ``elu``, see :func:`clearspot.nn.output_activations.linked_`; ``elu`` needs intercepts.
    """

    compute: torch.dtype
    compiled: bool = False
    mean_link: str = "exp"
    _workspace: Workspace = field(default_factory=Workspace, repr=False)
    _compiled_terms: dict[int, Callable[..., ZeroTerms]] = field(default_factory=dict, repr=False)

    def __call__(
        self,
        inputs: Sequence[Tensor],
        weights: Sequence[Tensor],
        biases: Sequence[Tensor] | None,
        size_factor: Tensor,
        blocks: Sequence[CountBlock],
        held_out: HeldOut | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Loss of all blocks (equation 2.12 for two heads, 2.13 for three), before any averaging.

        Parameters
        ----------
        inputs
            Input of each head, shape ``(n_spots, n_hidden)``; usually the same tensor for all.
        weights
            Weight of each head, shape ``(n_hidden, n_genes)``: mean, dispersion and, for ZINB, drop-out.
        biases
            One intercept a gene and head, shape ``(n_genes,)``, or ``None``.
        size_factor
            Shape ``(n_spots,)``.
        blocks
            The counts of the same spots.
        held_out
            Counts to score beside the loss, without a gradient.

        Returns
        -------
        Loss, differentiable in inputs, weights and biases, and the Poisson negative log-likelihood of the held-out
        counts (without its constant; 0 without ``held_out``), shape ``()`` each.
        """
        heads = len(weights)
        tensors = (*inputs, *weights, *(biases or ()))
        loss, score = _CountLossFunction.apply(self, heads, size_factor[:, None], blocks, held_out, *tensors)
        return loss, score

    def zero_terms(self, logits: Sequence[Tensor], size_factor: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and expected counts of a block as if all its counts were 0; gradients written over the logits."""
        on_cpu = logits[0].device.type == "cpu"
        rows = logits[0].shape[0]
        step = ROWS_PER_PASS if on_cpu else rows
        loss = torch.zeros((), dtype=torch.float64, device=logits[0].device)
        expected = torch.zeros_like(loss)
        for first in range(0, rows, step):
            part = [logit[first : first + step] for logit in logits]
            part_loss, part_expected = self._zero_terms_(part, size_factor[first : first + step])
            loss += part_loss
            expected += part_expected
        return loss, expected

    def _zero_terms_(self, logits: list[Tensor], size_factor: Tensor) -> tuple[Tensor, Tensor]:
        if self.compiled:
            terms = self._compiled(len(logits))(*logits, size_factor)
            for logit, gradient in zip(logits, terms.gradients, strict=True):
                logit.copy_(gradient)
            return terms.loss, terms.expected
        if len(logits) == 2:
            return nb_zero_terms_(logits[0], logits[1], size_factor, self._workspace)
        return zinb_zero_terms_(logits[0], logits[1], logits[2], size_factor, self._workspace)

    def _compiled(self, heads: int) -> Callable[..., ZeroTerms]:
        if heads not in self._compiled_terms:
            plain = nb_zero_terms if heads == 2 else zinb_zero_terms
            self._compiled_terms[heads] = torch.compile(plain, dynamic=False)
        return self._compiled_terms[heads]


class _CountLossFunction(torch.autograd.Function):
    """Gradients are taken in the forward pass, while a block's logits exist; the backward pass only scales them."""

    @staticmethod
    def forward(  # type: ignore[no-untyped-def]
        ctx,
        settings: CountLoss,
        heads: int,
        size_factor: Tensor,
        blocks: Sequence[CountBlock],
        held_out: HeldOut | None,
        *tensors: Tensor,
    ) -> tuple[Tensor, Tensor]:
        inputs, weights, biases = tensors[:heads], tensors[heads : 2 * heads], tensors[2 * heads :]
        low_inputs = _to_distinct(inputs, settings.compute)
        low_weights = [weight.to(settings.compute) for weight in weights]
        low_biases: list[Tensor | None] = [bias.to(settings.compute) for bias in biases] or [None] * heads
        linked = settings.mean_link == "elu"
        if linked:
            low_biases[0] = None
        wants_gradient = any(ctx.needs_input_grad)
        gradients = [torch.zeros_like(tensor) for tensor in tensors] if wants_gradient else []
        loss = torch.zeros((), dtype=torch.float64, device=inputs[0].device)
        score = torch.zeros_like(loss)
        for number, block in enumerate(blocks):
            rows = slice(block.first, block.last)
            logits = [
                raw_product(low_inputs[k][rows], low_weights[k], low_biases[k]).to(inputs[k].dtype).contiguous()
                for k in range(heads)
            ]
            slope = linked_(logits[0], biases[0]) if linked else None
            flat = tuple(logit.view(-1) for logit in logits)
            nonzero = nonzero_terms(tuple(values.index_select(0, block.entry) for values in flat), block)
            if held_out is not None:
                score += _held_out_log_mean(flat, held_out, number)
            block_loss, expected = settings.zero_terms(logits, size_factor[rows])
            loss += block_loss + nonzero.correction
            if held_out is not None:
                score += expected * held_out.ratio
            if not wants_gradient:
                continue
            for k in range(heads):
                flat[k].scatter_(0, block.entry, nonzero.gradients[k])
                if biases:
                    gradients[2 * heads + k] += logits[k].sum(dim=0)
                if k == 0 and slope is not None:
                    logits[k].mul_(slope)
                low = logits[k].to(settings.compute)
                gradients[k][rows] = raw_product(low, low_weights[k].t())
                gradients[heads + k] += raw_product(low_inputs[k][rows].t(), low)
        ctx.save_for_backward(*gradients)
        score = score.to(inputs[0].dtype)
        ctx.mark_non_differentiable(score)
        return loss.to(inputs[0].dtype), score

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_loss: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[no-untyped-def]
        return (None,) * 5 + tuple(gradient * grad_loss for gradient in ctx.saved_tensors)


def _to_distinct(tensors: Sequence[Tensor], dtype: torch.dtype) -> list[Tensor]:
    """Convert each tensor once, also where the same one is named several times."""
    converted: dict[int, Tensor] = {}
    return [converted.setdefault(id(tensor), tensor.to(dtype)) for tensor in tensors]


def _held_out_log_mean(flat: tuple[Tensor, ...], held_out: HeldOut, number: int) -> Tensor:
    """Minus the sum of ``y log(mean)`` over the held-out counts ``y`` of one block."""
    block = held_out.blocks[number]
    log_mean = (
        flat[0].index_select(0, block.entry).clamp(*MEAN_LOGIT_BOUNDS) + (block.size_factor * held_out.ratio).log()
    )
    if len(flat) == 3:
        log_mean += torch.nn.functional.logsigmoid(-flat[2].index_select(0, block.entry))
    return -(block.x * log_mean).sum()
