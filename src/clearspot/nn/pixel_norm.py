"""Normalisation over the channels of each pixel, so that a pixel's value never depends on how large the tile is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from clearspot.extras import extra

with extra("superres"):
    from diffusers.models.resnet import ResnetBlock2D


class PixelNorm(nn.Module):
    """Layer normalisation over the channels at each pixel, with a gain and an offset a channel.

    Group normalisation, the usual choice in U-Nets, takes its mean and variance over the whole tile: the same place
    would get another value in another tile. This one keeps the receptive field finite.

    Parameters
    ----------
    channels
        Number of channels.
    eps
        Added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``(batch, channels, rows, columns)``."""
        variance, mean = torch.var_mean(x, dim=1, keepdim=True, correction=0)
        shape = (1, -1, 1, 1)
        return (x - mean) * torch.rsqrt(variance + self.eps) * self.weight.view(shape) + self.bias.view(shape)


def residual_block(in_channels: int, out_channels: int, time_channels: int | None = None) -> ResnetBlock2D:
    """The residual block of ``diffusers`` with both group norms replaced.

    Parameters
    ----------
    in_channels, out_channels
        Widths.
    time_channels
        Width of the noise level's embedding; None for a block without one.
    """
    sizes: dict[str, Any] = {"in_channels": in_channels, "out_channels": out_channels, "temb_channels": time_channels}
    block = ResnetBlock2D(**sizes, groups=1, dropout=0.0)
    for name, channels in (("norm1", in_channels), ("norm2", out_channels)):
        setattr(block, name, PixelNorm(channels))
    return block
