"""Maps in their surroundings: Gaussian means of several widths, for layers that look at one bin at a time."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - as PyTorch's own documentation has it
from torch import Tensor, nn

_TRUNCATE: Final = 3.0


class Surroundings(nn.Module):
    """Put beside every channel its Gaussian means.

    Parameters
    ----------
    widths
        Standard deviations, in bins.
    """

    def __init__(self, widths: Sequence[float]):
        super().__init__()
        self.times = len(widths) + 1
        self.halo_bins = ceil(_TRUNCATE * max(widths))
        for number, width in enumerate(widths):
            reach = ceil(_TRUNCATE * width)
            kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / width) ** 2)
            self.register_buffer(f"kernel{number}", kernel / kernel.sum(), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """``(batch, channels * (widths + 1), rows, columns)`` of ``(batch, channels, rows, columns)``; 0 outside."""
        channels, parts = maps.shape[1], [maps]
        for number in range(self.times - 1):
            kernel = self.get_buffer(f"kernel{number}").to(maps.dtype)
            reach = len(kernel) // 2
            down = F.conv2d(
                maps, kernel.view(1, 1, -1, 1).repeat(channels, 1, 1, 1), padding=(reach, 0), groups=channels
            )
            parts.append(
                F.conv2d(down, kernel.view(1, 1, 1, -1).repeat(channels, 1, 1, 1), padding=(0, reach), groups=channels)
            )
        return torch.cat(parts, dim=1)
