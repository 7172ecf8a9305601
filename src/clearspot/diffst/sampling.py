"""Running the networks over whole sections, tile by tile, without seams.

All tiles take a sampling step together: the state is that of the whole section, and each evaluation of the network
reads it with a halo as wide as the receptive field. With noise that belongs to places and not to tiles, any tiling
gives the same values.
"""

from __future__ import annotations

from collections.abc import Callable
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clearspot.diffst.inputs import read_inputs
from clearspot.diffst.model import DiffstModel
from clearspot.diffst.noise_field import standard_normal
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.residual_diffusion import new_scheduler, noise_of
from clearspot.diffst.tiles import tile_grid
from clearspot.diffst.view import Condition, View, Window
from clearspot.nn.pixel_unet import STRIDE

TileFunction = Callable[[Window], Tensor]


def over_tiles(
    shape: tuple[int, int], n_channels: int, tile: int, halo: int, evaluate: TileFunction
) -> NDArray[np.float32]:
    """Fill a map from the cores of its tiles.

    Parameters
    ----------
    shape
        Rows and columns.
    n_channels
        Channels of the map.
    tile, halo
        Bins along a core's side, and around it.
    evaluate
        Gives ``(1, channels, rows, columns)`` for a window.
    """
    result = np.empty((n_channels, *shape), dtype=np.float32)
    for part in tile_grid(shape, tile, halo, STRIDE):
        values = evaluate(part.outer)[0].float().cpu().numpy()
        result[:, part.core[0], part.core[1]] = values[:, part.core_in_outer[0], part.core_in_outer[1]]
    return result


@torch.no_grad()
def predict_mean(
    model: DiffstModel, view: View, condition: Condition, params: DiffstParams, device: torch.device
) -> NDArray[np.float32]:
    """Stage 1 over a whole view: programs ``(programs, rows, columns)`` in units of the view's scale."""

    def evaluate(window: Window) -> Tensor:
        return model.mean(read_inputs(view, condition, window, device))[0]

    return over_tiles(view.shape, len(condition.base), params.tile, model.mean.halo_bins, evaluate)


@torch.no_grad()
def sample_residual(
    model: DiffstModel,
    view: View,
    condition: Condition,
    mean: NDArray[np.float32],
    number: int,
    sample: str,
    params: DiffstParams,
    device: torch.device,
) -> NDArray[np.float32]:
    """One draw of the standardised residual over a whole view.

    Parameters
    ----------
    model
        With a denoiser.
    view, condition
        What it is conditioned on.
    mean
        Stage 1's programs.
    number
        Of the draw: another number, another noise field.
    sample
        Sample name, part of the noise field's key.
    params
        Noise levels, evaluations, tile and seed.
    device
        Where the network runs; the state stays in main memory.

    Returns
    -------
    ``(programs, rows, columns)`` float32.
    """
    denoiser = model.denoiser
    if denoiser is None:
        raise ValueError("the model has no denoiser")
    scheduler = new_scheduler(params.sigma_min, params.sigma_max)
    scheduler.set_timesteps(params.evaluations)
    sqrt_mean = torch.from_numpy(np.sqrt(mean))
    field = crc32(f"{sample}/{number}".encode())
    noise = standard_normal(params.seed, field, len(mean), slice(0, view.shape[0]), slice(0, view.shape[1]))
    state = torch.from_numpy(noise)[None] * float(scheduler.sigmas[0])
    for index, timestep in enumerate(scheduler.timesteps):
        scaled = scheduler.scale_model_input(state, timestep)
        level = torch.tensor([noise_of(float(scheduler.sigmas[index]))], device=device)

        def evaluate(window: Window, scaled: Tensor = scaled, level: Tensor = level) -> Tensor:
            rows, columns = window
            inputs = read_inputs(view, condition, window, device)
            around = sqrt_mean[None, :, rows, columns].to(device)
            return denoiser(scaled[:, :, rows, columns].to(device), around, inputs, level)[0]

        raw = over_tiles(view.shape, len(mean), params.tile, denoiser.halo_bins, evaluate)
        state = scheduler.step(torch.from_numpy(raw)[None], timestep, state, return_dict=False)[0]
    return state[0].numpy()


def add_residual(
    mean: NDArray[np.float32], residual: NDArray[np.float32], sd: NDArray[np.float32], amplitude: float
) -> NDArray[np.float32]:
    """Programs of a draw: back from square-root space, never negative."""
    root = np.sqrt(mean) + amplitude * sd[:, None, None] * residual
    return np.maximum(root, 0) ** 2
