"""From the pixels of the histology image to features of bins, learned with whatever they are used for."""

from __future__ import annotations

import math
from itertools import pairwise

import torch.nn.functional as F  # noqa: N812 - as PyTorch's own documentation has it
from torch import Tensor, nn

WIDTHS = (32, 48, 64)
"""Channels of each resolution, from the finest; what is left of the halvings keeps the last."""

_PATCH = 4
"""Pixels along a side that the first layer takes together, where a bin has so many."""


class PixelEncoder(nn.Module):
    """Strided convolutions that halve the pixels until one is left for each bin.

    The first layer takes squares of 4 x 4 pixels as vectors (a few micrometres, less than a nucleus), as ConvNeXt does
    (Liu et al. 2022): convolutions at the full resolution would be most of the cost of training. No layer looks at
    statistics of the whole window, so that a bin's features do not depend on the tile that it is computed in.

    Parameters
    ----------
    pixels_per_bin
        Pixels along a side of a bin: a power of two, from 2.
    out_channels
        Features of a bin.
    """

    halo_bins = 4
    """No feature depends on a pixel in a bin further away than this."""

    def __init__(self, pixels_per_bin: int, out_channels: int):
        super().__init__()
        halvings = round(math.log2(pixels_per_bin))
        if halvings < 1 or 2**halvings != pixels_per_bin:
            raise ValueError(f"pixels a bin must be a power of two from 2, not {pixels_per_bin}")
        patch = min(_PATCH, pixels_per_bin)
        levels = halvings - round(math.log2(patch)) + 1
        widths = [WIDTHS[min(number, len(WIDTHS) - 1)] for number in range(levels)]
        layers: list[nn.Module] = [nn.PixelUnshuffle(patch), nn.Conv2d(3 * patch**2, widths[0], 1), nn.SiLU()]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.SiLU()]
        self.down = nn.Sequential(*layers)
        self.mix = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 3, padding=1), nn.SiLU())
        self.out = nn.Conv2d(widths[-1], out_channels, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Features ``(batch, out_channels, rows, columns)`` of pixels ``(batch, 3, rows * side, columns * side)``."""
        seen = self.down(pixels)
        return F.silu(self.out(seen + self.mix(seen)))
