"""A small U-Net with a finite receptive field, of ``diffusers`` blocks and cross-attention to histology tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clearspot.extras import extra
from clearspot.nn.cross_attention import HierarchicalCrossAttention
from clearspot.nn.pixel_norm import PixelNorm, residual_block

with extra("superres"):
    from diffusers.models.downsampling import Downsample2D
    from diffusers.models.embeddings import TimestepEmbedding, Timesteps
    from diffusers.models.upsampling import Upsample2D

STRIDE = 8
"""Rows and columns of an input are multiples of this: the tissue-level tokens are 8 bins wide."""

Tokens = tuple[Tensor, Tensor, Tensor, Tensor]
"""Cell tokens and which of them are visible, tissue-level tokens and which of them are visible."""


class PixelUNet(nn.Module):
    """U-Net of three levels with one residual block each.

    Parameters
    ----------
    in_channels, out_channels
        Of input and output.
    width
        Channels of the finest level; the coarser ones have 2 and 3 times as many.
    token_channels
        Channels of the cell-level and of the tissue-level tokens; None: no cross-attention (the ablation).
    noise_level
        Whether the network takes a noise level.
    """

    halo_bins = 32
    """No output depends on an input further away than this (30, and 1 of the fusion before it)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        width: int = 32,
        token_channels: tuple[int, int] | None = None,
        noise_level: bool = False,
    ):
        super().__init__()
        widths = (width, 2 * width, 3 * width)
        time = 4 * width if noise_level else None
        if noise_level:
            # c_noise = ln(sigma) / 4 spans about one unit: stretched, so that the sinusoids tell levels apart
            self.frequencies = Timesteps(width, flip_sin_to_cos=True, downscale_freq_shift=0, scale=100)
            self.time_embedding = TimestepEmbedding(width, 4 * width)
        self.conv_in = nn.Conv2d(in_channels, widths[0], 3, padding=1)
        self.down0 = residual_block(widths[0], widths[0], time)
        self.shrink0 = Downsample2D(widths[0], use_conv=True, out_channels=widths[1])
        self.down1 = residual_block(widths[1], widths[1], time)
        self.attention = HierarchicalCrossAttention(widths[1], *token_channels) if token_channels is not None else None
        self.shrink1 = Downsample2D(widths[1], use_conv=True, out_channels=widths[2])
        self.middle = residual_block(widths[2], widths[2], time)
        self.grow1 = Upsample2D(widths[2], use_conv=True, out_channels=widths[1])
        self.up1 = residual_block(2 * widths[1], widths[1], time)
        self.grow0 = Upsample2D(widths[1], use_conv=True, out_channels=widths[0])
        self.up0 = residual_block(2 * widths[0], widths[0], time)
        self.norm_out = PixelNorm(widths[0])
        self.conv_out = nn.Conv2d(widths[0], out_channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(torch.as_tensor(self.conv_out.bias))

    def forward(self, x: Tensor, tokens: Tokens | None = None, noise: Tensor | None = None) -> Tensor:
        """Run the network.

        Parameters
        ----------
        x
            ``(batch, in_channels, rows, columns)``, rows and columns multiples of :data:`STRIDE`.
        tokens
            For the cross-attention, see :class:`HierarchicalCrossAttention`.
        noise
            ``(batch,)``: ``ln(sigma) / 4``.
        """
        time = None
        if noise is not None:
            time = self.time_embedding(self.frequencies(noise).to(x.dtype))
        fine = self.down0(self.conv_in(x), time)
        half = self.down1(self.shrink0(fine), time)
        if self.attention is not None and tokens is not None:
            half = self.attention(half, *tokens)
        deep = self.middle(self.shrink1(half), time)
        half = self.up1(torch.cat([self.grow1(deep), half], dim=1), time)
        fine = self.up0(torch.cat([self.grow0(half), fine], dim=1), time)
        return self.conv_out(torch.nn.functional.silu(self.norm_out(fine)))
