"""Dense matrix products on the fastest path of the machine.

Three products in four of a training step are dense, so they decide its time. On x86 processors oneDNN's kernels are
used: MKL, which ``torch.mm`` calls for 32-bit floats, leaves processors that are not Intel's at 40 % of that speed.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


@cache
def _onednn_available() -> bool:
    return torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def raw_product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a @ b + bias`` outside autograd, in the type of ``a`` and ``b``.

    Parameters
    ----------
    a, b
        Shapes ``(n, k)`` and ``(k, m)``, same type.
    bias
        Added to every row, shape ``(m,)``.
    """
    if a.device.type == "cpu" and a.dtype == torch.float32 and torch.backends.mkldnn.enabled and _onednn_available():
        return torch.ops.mkldnn._linear_pointwise(a, b.t(), bias, "none", [], "")
    return a @ b if bias is None else torch.addmm(bias, a, b)


class _DenseProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor, compute: torch.dtype) -> Tensor:  # type: ignore[no-untyped-def]
        low_a, low_b = a.to(compute), b.to(compute)
        ctx.save_for_backward(low_a, low_b)
        ctx.types = (a.dtype, b.dtype)
        return raw_product(low_a, low_b).to(b.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # type: ignore[no-untyped-def]
        a, b = ctx.saved_tensors
        grad = grad.to(a.dtype)
        grad_a = raw_product(grad, b.t()).to(ctx.types[0]) if ctx.needs_input_grad[0] else None
        grad_b = raw_product(a.t(), grad).to(ctx.types[1]) if ctx.needs_input_grad[1] else None
        return grad_a, grad_b, None


def dense_product(a: Tensor, b: Tensor, compute: torch.dtype) -> Tensor:
    """``a @ b`` with the multiplications in ``compute`` precision and the result in the type of ``b``.

    Parameters
    ----------
    a, b
        Shapes ``(n, k)`` and ``(k, m)``. ``a`` may already be stored in ``compute`` precision.
    compute
        ``torch.float32``, ``torch.bfloat16`` (sums stay in 32 bits) or ``torch.float64``.
    """
    return _DenseProduct.apply(a, b, compute)
