"""Running the networks over whole sections, tile by tile, without seams.

All tiles take a sampling step together: the state is that of the whole section, and each evaluation of the network
reads it with a halo as wide as the receptive field. With noise that belongs to places and not to tiles, any tiling
gives the same values. The state lies in temporary files and is read a tile or a strip of rows at a time, so that memory
does not grow with the section.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clearspot.diffst.data.inputs import read_inputs
from clearspot.diffst.data.view import Condition, View, Window
from clearspot.diffst.geometry.noise_field import standard_normal
from clearspot.diffst.geometry.scratch import parked, scratch
from clearspot.diffst.geometry.tiles import tile_grid
from clearspot.diffst.networks.mean_net import FLOOR
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.networks.residual_diffusion import new_scheduler, noise_of
from clearspot.diffst.params import DiffstParams
from clearspot.learning.device import resolve_precision
from clearspot.nn.pixel_unet import STRIDE

_LEAST_OF_MEAN: Final = 0.05
_TINY: Final = 1e-12

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
    result = scratch((n_channels, *shape))
    for part in tile_grid(shape, tile, halo, STRIDE):
        values = evaluate(part.outer)[0].float().cpu().numpy()
        result[:, part.core[0], part.core[1]] = values[:, part.core_in_outer[0], part.core_in_outer[1]]
    return result


@torch.no_grad()
def predict_mean(
    model: DiffstModel, view: View, condition: Condition, params: DiffstParams, device: torch.device
) -> NDArray[np.float32]:
    """Stage 1 over a whole view: programs ``(programs, rows, columns)`` in units of the view's scale.

    As far from the plain estimate to the networks' rate, by ratio, as ``model.mean.power`` says.
    """
    low = resolve_precision(params.precision, device)
    power = float(model.mean.power)

    def evaluate(window: Window) -> Tensor:
        with torch.autocast(device.type, low, enabled=low != torch.float32):
            programs: Tensor = model.mean(read_inputs(view, condition, window, device))[0]
        if power == 1:
            return programs
        base = condition.base[:, window[0], window[1]].astype(np.float32)
        plain = torch.from_numpy(base)[None].to(device) + FLOOR
        return plain * (programs / plain) ** power

    return over_tiles(view.shape, len(condition.seen), params.tile, model.mean.halo_bins, evaluate)


@torch.no_grad()
def sample_residual(
    model: DiffstModel,
    view: View,
    condition: Condition,
    mean: NDArray[np.float32],
    *,
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
    low = resolve_precision(params.precision, device)
    first = new_scheduler(params.sigma_min, params.sigma_max)
    first.set_timesteps(params.evaluations)
    strips = [slice(row, min(row + params.tile, view.shape[0])) for row in range(0, view.shape[0], params.tile)]
    schedulers = [_StripScheduler(params) for _ in strips]
    field = crc32(f"{sample}/{number}".encode())
    state = scratch(mean.shape)
    for rows in strips:
        noise = standard_normal(params.seed, field, len(mean), rows, slice(0, view.shape[1]))
        state[:, rows] = noise * float(first.sigmas[0])
    for index, timestep in enumerate(first.timesteps):
        sigma = first.sigmas[index]
        level = torch.tensor([noise_of(float(sigma))], device=device)

        def evaluate(window: Window, sigma: Tensor = sigma, level: Tensor = level) -> Tensor:
            rows, columns = window
            inputs = read_inputs(view, condition, window, device)
            around = torch.from_numpy(np.sqrt(mean[:, rows, columns]))[None].to(device)
            noisy = torch.from_numpy(np.array(state[:, rows, columns]))[None]
            with torch.autocast(device.type, low, enabled=low != torch.float32):
                raw: Tensor = denoiser(first.precondition_inputs(noisy, sigma).to(device), around, inputs, level)[0]
            return raw

        raw = over_tiles(view.shape, len(mean), params.tile, denoiser.halo_bins, evaluate)
        for rows, scheduler in zip(strips, schedulers, strict=True):
            state[:, rows] = scheduler.step(raw[:, rows], timestep, state[:, rows])
    return state


class _StripScheduler:
    """The scheduler for a strip of rows: it acts on each value alone, and what it remembers is kept in a file."""

    def __init__(self, params: DiffstParams):
        self._scheduler = new_scheduler(params.sigma_min, params.sigma_max)
        self._scheduler.set_timesteps(params.evaluations)
        self._scheduler.is_scale_input_called = True

    def step(self, raw: NDArray[np.float32], timestep: Tensor, state: NDArray[np.float32]) -> NDArray[np.float32]:
        output, before = (torch.from_numpy(np.array(values))[None] for values in (raw, state))
        after: Tensor = self._scheduler.step(output, timestep, before, return_dict=False)[0]
        remembered = self._scheduler.model_outputs
        remembered[-1] = torch.from_numpy(parked(remembered[-1].numpy()))
        return after[0].numpy()


def add_residual(
    mean: NDArray[np.float32], residual: NDArray[np.float32], sd: NDArray[np.float32], amplitude: float
) -> NDArray[np.float32]:
    """Programs of a draw: back from square-root space, never negative."""
    root = np.sqrt(mean) + amplitude * sd[:, None, None] * residual
    return np.maximum(root, 0) ** 2


def centring(mean: NDArray[np.float32], draws: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Factors ``(programs, rows, columns)`` after which draws of programs average to a mean.

    Parameters
    ----------
    mean
        ``(programs, rows, columns)``.
    draws
        Each of the same shape; read one at a time.
    """
    total, number = scratch(mean.shape), 0
    for drawn in draws:
        total += drawn
        number += 1
    # where hardly a draw has anything the factor would be huge: draws there stay below the mean
    average = np.maximum(total / np.float32(number), _LEAST_OF_MEAN * mean)
    np.divide(mean, np.maximum(average, _TINY), out=total)
    return total
