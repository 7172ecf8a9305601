"""The floor of learning from pairs: a perceptron, bin by bin, without convolutions, attention, programs or diffusion.

It sees the colour and texture features of a bin at five blurs, the Gaussian mean of the spots there, or both; it has
one hidden layer of 256 units and minimises the Poisson deviance of all genes, which have the same weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from baselines import gaussian
from cases import Prediction
from numpy.typing import NDArray
from pair_cases import Test
from scipy import ndimage
from torch import nn

BLURS = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Standard deviations, in bins."""

HIDDEN, EPOCHS, BATCH, RATE = 256, 10, 1024, 1e-3
WAYS = {
    "perceptron, image alone": (True, False, False),
    "perceptron, image and spots": (True, True, False),
    "perceptron, times the Gaussian": (True, True, True),
}
"""Whether the image is an input, whether the spots are, and whether the answer is a factor on their Gaussian mean."""

_LEAST = 1e-3
"""Of a rate, in units of the gene's mean."""


@dataclass(frozen=True)
class _Bins:
    """Bins of one section: image features, Gaussian mean of the spots and truth (both in units of the gene's mean)."""

    image: NDArray[np.float32]
    smooth: NDArray[np.float32]
    truth: NDArray[np.float32]
    scale: NDArray[np.float32]
    tissue: NDArray[np.bool_]


def perceptrons(
    learned: Sequence[Test], tests: Sequence[Test], seed: int, ways: Sequence[str] = tuple(WAYS)
) -> Iterator[tuple[Test, str, Prediction]]:
    """Train each of the ways once and predict every test."""
    known = [_bins(one) for one in learned]
    for name in ways:
        way = WAYS[name]
        network = _trained(known, way, seed)
        for test in tests:
            bins = _bins(test)
            with torch.no_grad():
                rate = torch.exp(network(_inputs(bins, way)) + _offset(bins, way)).numpy()
            yield test, name, Prediction(rate * bins.scale)


def _trained(known: Sequence[_Bins], way: tuple[bool, bool, bool], seed: int) -> nn.Module:
    torch.manual_seed(seed)
    inside = [torch.from_numpy(np.flatnonzero(one.tissue)) for one in known]
    inputs = torch.cat([_inputs(one, way)[rows] for one, rows in zip(known, inside, strict=True)])
    offset = torch.cat([_offset(one, way)[rows] for one, rows in zip(known, inside, strict=True)])
    truth = torch.cat([torch.from_numpy(one.truth)[rows] for one, rows in zip(known, inside, strict=True)])
    last = nn.Linear(HIDDEN, truth.shape[1])
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    network = nn.Sequential(nn.Linear(inputs.shape[1], HIDDEN), nn.SiLU(), last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE)
    loss = nn.PoissonNLLLoss(log_input=True)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(inputs)).split(BATCH):
            optimiser.zero_grad()
            loss(network(inputs[rows]) + offset[rows], truth[rows]).backward()
            optimiser.step()
    return network.eval()


def _bins(test: Test) -> _Bins:
    case, seen = test.case, test.histology
    if case.truth is None or case.tissue is None:
        raise ValueError(f"{case.name}: nothing to learn from")
    maps = np.asarray(seen.fine, dtype=np.float32)
    image = np.concatenate([ndimage.gaussian_filter(maps, (0, blur, blur)) if blur else maps for blur in BLURS])
    # in units of what the spots have, since the truth of a test is not known
    scale = np.maximum(case.density.mean(axis=0), 1e-9).astype(np.float32)
    smooth = np.maximum(gaussian(case).mean / scale, _LEAST)
    return _Bins(
        image=image.reshape(len(image), -1).T.copy(),
        smooth=smooth.astype(np.float32),
        truth=np.asarray(case.truth / scale, dtype=np.float32),
        scale=scale,
        tissue=case.tissue.ravel(),
    )


def _inputs(bins: _Bins, way: tuple[bool, bool, bool]) -> torch.Tensor:
    with_image, with_spots, _ = way
    parts = [bins.image] if with_image else []
    if with_spots:
        parts.append(np.log(bins.smooth + 0.1))
    return torch.from_numpy(np.concatenate(parts, axis=1))


def _offset(bins: _Bins, way: tuple[bool, bool, bool]) -> torch.Tensor:
    return torch.from_numpy(np.log(bins.smooth) if way[2] else np.zeros_like(bins.smooth))
