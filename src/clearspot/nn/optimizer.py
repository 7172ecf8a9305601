"""PyTorch's Adam without its import of the compiler."""

from __future__ import annotations

from typing import Any

import torch


def _undecorated(method: Any) -> Any:
    """Method without what PyTorch wraps around it for ``torch.compile``."""
    return getattr(method, "__wrapped__", method)


class _Uncompiled:
    """Optimiser methods as they are, for training loops that are not compiled.

    PyTorch's decorators import ``torch._dynamo`` when an optimiser is made, which takes longer than importing PyTorch,
    and do nothing unless ``torch.compile`` traces the optimiser.
    """

    add_param_group = _undecorated(torch.optim.Optimizer.add_param_group)
    load_state_dict = _undecorated(torch.optim.Optimizer.load_state_dict)
    state_dict = _undecorated(torch.optim.Optimizer.state_dict)
    zero_grad = _undecorated(torch.optim.Optimizer.zero_grad)


class Adam(_Uncompiled, torch.optim.Adam):
    """``torch.optim.Adam``."""

    step = torch.no_grad()(_undecorated(torch.optim.Adam.step))


class AdamW(_Uncompiled, torch.optim.AdamW):
    """``torch.optim.AdamW``."""

    step = torch.no_grad()(_undecorated(torch.optim.AdamW.step))
