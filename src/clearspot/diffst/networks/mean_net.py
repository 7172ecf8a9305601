"""Stage 1: a U-Net that regresses the expected value of every program in every bin."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clearspot.diffst.data.inputs import Inputs
from clearspot.nn.disentangle import Fusion
from clearspot.nn.pixel_unet import PixelUNet

FLOOR = 0.01
"""What a bin has at least before the network's factor, in units of the mean."""

_MAX_LOG = 3.0


class Conditioned(nn.Module):
    """Fusion of histology and expression, and a U-Net on it.

    Parameters
    ----------
    n_programs
        Gene programs.
    image_channels
        Features of the image.
    width
        Channels of the finest level.
    extra_channels
        Channels that come in besides the fused ones.
    disentangle, cross_attention
        The paper's parts, each switchable.
    noise_level
        Whether the network is told a noise level.
    """

    halo_bins = PixelUNet.halo_bins

    def __init__(
        self,
        n_programs: int,
        image_channels: int,
        width: int,
        *,
        extra_channels: int = 0,
        disentangle: bool = True,
        cross_attention: bool = True,
        noise_level: bool = False,
    ):
        super().__init__()
        self.fusion = Fusion(image_channels, n_programs + 1, width // 2, disentangle=disentangle)
        self.unet = PixelUNet(
            self.fusion.out_channels + extra_channels,
            n_programs,
            width=width,
            token_channels=(image_channels, image_channels) if cross_attention else None,
            noise_level=noise_level,
        )

    def forward(
        self, inputs: Inputs, extra: Tensor | None = None, noise: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Output of the U-Net, and the disentangling loss."""
        expression = torch.cat([inputs.base.sqrt() - 1, inputs.coverage], dim=1)
        fused, loss = self.fusion(inputs.image, inputs.image_valid, expression, inputs.counts_valid)
        if extra is not None:
            fused = torch.cat([fused, extra], dim=1)
        return self.unet(fused, inputs.tokens, noise), loss


class MeanNet(nn.Module):
    """Expected programs: the plain estimate times a factor that the network finds.

    Before training the factor is 1, so the network starts from the plain estimate. ``power`` is the exponent of the
    factor that held-out spots want; 0 leaves the plain estimate as it is.

    Parameters
    ----------
    n_programs, image_channels, width, disentangle, cross_attention
        As in :class:`Conditioned`.
    """

    halo_bins = Conditioned.halo_bins
    power: Tensor

    def __init__(
        self,
        n_programs: int,
        image_channels: int,
        width: int,
        *,
        disentangle: bool = True,
        cross_attention: bool = True,
    ):
        super().__init__()
        self.body = Conditioned(
            n_programs, image_channels, width, disentangle=disentangle, cross_attention=cross_attention
        )
        self.register_buffer("power", torch.ones(()))

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Programs ``(batch, programs, rows, columns)``, positive, in units of the view's scale; disentangling loss."""
        logarithm, loss = self.body(inputs)
        factor = torch.exp(self.power * _MAX_LOG * torch.tanh(logarithm / _MAX_LOG))
        return (inputs.base + FLOOR) * factor, loss


def captured(programs: Tensor, spot: Tensor, bins: Tensor, area: Tensor, n_spots: int) -> Tensor:
    """What spots capture of maps: the capture operator on a window.

    Parameters
    ----------
    programs
        ``(programs, rows, columns)``.
    spot, bins, area
        Entries of the operator: number of the spot, bin in the window, share of the bin.
    n_spots
        How many spots.

    Returns
    -------
    ``(spots, programs)``.
    """
    taken = programs.flatten(1)[:, bins] * area
    return programs.new_zeros(len(programs), n_spots).index_add(1, spot, taken).T


def count_loss(rate: Tensor, counts: Tensor, weight: Tensor, phi: Tensor | None) -> Tensor:
    """Negative log-likelihood of counts, Poisson or with each gene's dispersion negative binomial.

    A weighted mean over spots and the mean over genes; 0 is a perfect fit (half the unit deviance).

    Parameters
    ----------
    rate, counts
        ``(spots, genes)``.
    weight
        ``(spots,)``.
    phi
        ``(genes,)``: ``var = m + phi m^2``; None: Poisson.
    """
    if phi is None:
        return poisson_loss(rate, counts, weight)
    rate = rate.clamp(min=1e-8)
    ratio = torch.xlogy(counts, counts) - torch.xlogy(counts, rate)
    entry = ratio - (counts + 1 / phi) * (torch.log1p(phi * counts) - torch.log1p(phi * rate))
    return (entry.mean(dim=1) * weight).sum() / weight.sum().clamp(min=1e-8)


def poisson_loss(rate: Tensor, counts: Tensor, weight: Tensor) -> Tensor:
    """Poisson negative log-likelihood but for the constant, a weighted mean over spots and the mean over genes.

    The minimum of each entry is taken off, so that 0 is a perfect fit: half the deviance.
    """
    rate = rate.clamp(min=1e-8)
    entry = rate - counts - torch.xlogy(counts, rate) + torch.xlogy(counts, counts)
    return (entry.mean(dim=1) * weight).sum() / weight.sum().clamp(min=1e-8)
