"""Stage 1: a U-Net that regresses the expected value of every program in every bin."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clearspot.diffst.data.inputs import Inputs
from clearspot.nn.disentangle import Fusion
from clearspot.nn.pixel_encoder import PixelEncoder
from clearspot.nn.pixel_unet import STRIDE, PixelUNet
from clearspot.nn.surroundings import Surroundings

FLOOR = 0.01
"""What a bin has at least before the network's factor, in units of the mean."""

_MAX_LOG = 6.0
_SURROUNDINGS_UM = (10.0, 20.0, 40.0, 80.0)
_PERCEPTRON = 8
"""Hidden channels of the perceptron, in widths of the U-Net."""


class Conditioned(nn.Module):
    """Fusion of histology and expression, and a U-Net on it.

    Parameters
    ----------
    n_programs
        Gene programs.
    image_channels
        Features of the image that are fused.
    width
        Channels of the finest level.
    tokens
        Channels of the tokens for the cross-attention.
    extra_channels
        Channels that come in besides the fused ones.
    disentangle, cross_attention
        The paper's parts, each switchable.
    noise_level
        Whether the network takes a noise level.
    """

    halo_bins = PixelUNet.halo_bins

    def __init__(
        self,
        n_programs: int,
        image_channels: int,
        width: int,
        *,
        tokens: int,
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
            token_channels=(tokens, tokens) if cross_attention else None,
            noise_level=noise_level,
        )

    def forward(
        self,
        inputs: Inputs,
        image: Tensor,
        expression: Tensor,
        extra: Tensor | None = None,
        noise: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Output of the U-Net, and the disentangling loss."""
        fused, loss = self.fusion(image, inputs.image_valid, expression, inputs.counts_valid)
        if extra is not None:
            fused = torch.cat([fused, extra], dim=1)
        return self.unet(fused, inputs.tokens, noise), loss


class MeanNet(nn.Module):
    """Expected programs of every bin, from the image's pixels and features and from the spots around.

    Two networks that see the same, each with a rate of its own: a U-Net on pixels, features and spots, and a perceptron
    that looks at one bin and at means of its surroundings. The logarithm of a rate is what the network says, and the
    logarithm of what it is shown of the spots times a gain that is learned for each program and network. They err in
    different places, so that the mean of the two rates is better than either.

    ``power`` is how far held-out spots want to go from the plain estimate (0) to the networks' rate (1), by ratio; see
    :func:`clearspot.diffst.generate.sampling.predict_mean`.

    Parameters
    ----------
    n_programs, image_channels, width, disentangle, cross_attention
        As in :class:`Conditioned`.
    pixels_per_bin
        Pixels along a side of a bin, see :class:`clearspot.diffst.image.histology.Histology`; 0: features alone.
    bin_um
        Side of a bin in micrometres: surroundings are as wide as tissue is, whatever the bins.
    paired
        Whether it learns from pairs. Its gains then start at 0, else at 1: before training it is what it is shown, the
        plain estimate.
    """

    power: Tensor
    paired: Tensor

    def __init__(
        self,
        n_programs: int,
        image_channels: int,
        width: int,
        *,
        pixels_per_bin: int = 0,
        bin_um: float = 20.0,
        paired: bool = False,
        disentangle: bool = True,
        cross_attention: bool = True,
    ):
        super().__init__()
        self.pixels = PixelEncoder(pixels_per_bin, width) if pixels_per_bin else None
        seen = image_channels + (width if self.pixels is not None else 0)
        self.body = Conditioned(
            n_programs, seen, width, tokens=image_channels, disentangle=disentangle, cross_attention=cross_attention
        )
        self.around = Surroundings([um / bin_um for um in _SURROUNDINGS_UM])
        hidden = _PERCEPTRON * width
        last = nn.Conv2d(hidden, n_programs, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(torch.as_tensor(last.bias))
        self.pointwise = nn.Sequential(
            nn.Conv2d(self.around.times * image_channels + n_programs + 2, hidden, 1),
            nn.GELU(),
            nn.Conv2d(hidden, hidden, 1),
            nn.GELU(),
            last,
        )
        self.gain = nn.Parameter(torch.full((2, n_programs), float(not paired)))
        self.register_buffer("power", torch.ones(()))
        self.register_buffer("paired", torch.tensor(paired))
        self.halo_bins = -(-max(self.body.halo_bins + PixelEncoder.halo_bins, self.around.halo_bins) // STRIDE) * STRIDE

    def forward(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Programs ``(batch, programs, rows, columns)``, positive, in units of the view's scale; disentangling loss."""
        rates, loss = self.rates(inputs)
        return rates.mean(dim=0), loss

    def rates(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Rates of both networks, ``(2, batch, programs, rows, columns)``, and the disentangling loss."""
        seen = inputs.seen + FLOOR
        logarithm = torch.log(seen)
        image = inputs.image
        if self.pixels is not None:
            image = torch.cat([image, self.pixels(inputs.pixels)], dim=1)
        of_unet, loss = self.body(inputs, image, torch.cat([logarithm, inputs.coverage], dim=1))
        known = [logarithm * inputs.counts_valid, inputs.coverage, inputs.image_valid]
        of_bins = self.pointwise(torch.cat([self.around(inputs.image * inputs.image_valid), *known], dim=1))
        gain = self.gain[:, None, :, None, None]
        change = torch.stack([of_unet, of_bins]).float() + (gain - 1) * logarithm
        return seen * torch.exp(change.clamp(-_MAX_LOG, _MAX_LOG)), loss


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


def bins_loss(rate: Tensor, counts: Tensor, weight: Tensor, gene_weight: Tensor) -> Tensor:
    """Poisson negative log-likelihood of bins, up to a constant; see :func:`poisson_loss`.

    Parameters
    ----------
    rate, counts
        ``(bins, genes)``.
    weight
        ``(bins,)``.
    gene_weight
        ``(genes,)``: abundant genes would have all the say.
    """
    rate = rate.clamp(min=1e-8)
    entry = rate - torch.xlogy(counts, rate)
    return ((entry @ gene_weight) * weight).sum() / weight.sum().clamp(min=1e-8) / gene_weight.numel()
