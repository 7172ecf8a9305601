"""Stage 2: diffusion of what the mean leaves out, in square-root space.

The residual ``sqrt(programs) - sqrt(mean)``, divided by its standard deviation, is noised and denoised as in EDM
(Karras et al. 2022). Preconditioning and sampler are those of ``diffusers``.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from clearspot.diffst.data.inputs import Inputs
from clearspot.diffst.networks.mean_net import Conditioned
from clearspot.extras import extra

with extra("superres"):
    from diffusers import EDMDPMSolverMultistepScheduler

SIGMA_DATA = 1.0
"""Standard deviation of a standardised residual."""

_LOG_SIGMA_MEAN = -0.5
_LOG_SIGMA_SD = 1.4
_GAIN_WIDTH = 32


class Denoiser(nn.Module):
    """The network inside the diffusion: from a noisy residual to EDM's raw output.

    At low noise the output is the noise itself, which the U-Net, whose pixels are normalised, passes on badly. So the
    noisy residual also reaches the output directly, times a gain of each program and noise level.

    Parameters
    ----------
    n_programs, image_channels, width, disentangle, cross_attention
        As in :class:`clearspot.diffst.networks.mean_net.Conditioned`.
    """

    halo_bins = Conditioned.halo_bins

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
            n_programs,
            image_channels,
            width,
            tokens=image_channels,
            extra_channels=2 * n_programs,
            disentangle=disentangle,
            cross_attention=cross_attention,
            noise_level=True,
        )
        last = nn.Linear(_GAIN_WIDTH, n_programs)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.gain = nn.Sequential(nn.Linear(1, _GAIN_WIDTH), nn.SiLU(), last)

    def forward(self, noisy: Tensor, sqrt_mean: Tensor, inputs: Inputs, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Raw output ``(batch, programs, rows, columns)``, and the disentangling loss.

        Parameters
        ----------
        noisy
            The noisy residual, already scaled by EDM's ``c_in``.
        sqrt_mean
            Square root of the mean's programs.
        inputs
            Conditions.
        noise
            ``(batch,)``: EDM's ``c_noise``.
        """
        expression = torch.cat([inputs.seen.sqrt() - 1, inputs.coverage], dim=1)
        raw, loss = self.body(inputs, inputs.image, expression, torch.cat([noisy, sqrt_mean - 1], dim=1), noise)
        return raw + self.gain(noise[:, None])[:, :, None, None] * noisy, loss


def new_scheduler(sigma_min: float, sigma_max: float) -> Any:
    """DPM-Solver++ of second order with EDM's preconditioning, from ``diffusers``, which gives its classes no types."""
    # "epsilon" is what diffusers calls EDM's own preconditioning; the default sigma_max of 80 is for pixels
    return EDMDPMSolverMultistepScheduler(
        sigma_min=sigma_min, sigma_max=sigma_max, sigma_data=SIGMA_DATA, prediction_type="epsilon", solver_order=2
    )


def diffusion_loss(
    denoiser: Denoiser,
    scheduler: Any,
    residual: Tensor,
    *,
    sqrt_mean: Tensor,
    weight: Tensor,
    inputs: Inputs,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """EDM's weighted denoising loss at noise levels drawn here, and the disentangling loss.

    Parameters
    ----------
    denoiser, scheduler
        Network and preconditioning.
    residual
        ``(batch, programs, rows, columns)``, standardised.
    sqrt_mean
        As :class:`Denoiser` takes it.
    weight
        ``(batch, 1, rows, columns)``: 1 where the residual is known.
    inputs
        Conditions.
    generator
        Of noise levels and noise, on the CPU so that every device sees the same.
    """
    device = residual.device
    sigma = torch.exp(_LOG_SIGMA_MEAN + _LOG_SIGMA_SD * torch.randn(len(residual), generator=generator))
    # the sampler starts at sigma_max: levels up to there have to be met in training
    sigma = sigma.clamp(scheduler.config.sigma_min, scheduler.config.sigma_max).to(device)
    level = sigma.view(-1, 1, 1, 1)
    noisy = residual + level * torch.randn(residual.shape, generator=generator).to(device)
    raw, disentangling = denoiser(
        scheduler.precondition_inputs(noisy, level), sqrt_mean, inputs, scheduler.precondition_noise(sigma)
    )
    denoised = scheduler.precondition_outputs(noisy, raw, level)
    importance = (level**2 + SIGMA_DATA**2) / (level * SIGMA_DATA) ** 2
    squared = (importance * (denoised - residual) ** 2).mean(dim=1, keepdim=True)
    return (squared * weight).sum() / weight.sum().clamp(min=1), disentangling


def noise_of(sigma: float) -> float:
    """EDM's ``c_noise``."""
    return 0.25 * math.log(sigma)
