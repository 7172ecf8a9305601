"""Another stain and scanner: colours and features of a window as another slide might have shown them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from clearspot.diffst.data.inputs import Inputs


def stained_otherwise(inputs: Inputs, amount: float, generator: np.random.Generator) -> Inputs:
    """The same window in other colours: one mixture of the three channels, and one scale and offset for each feature.

    What :mod:`clearspot.diffst.image.stain` and the standardisation of features leave of the differences between slides
    is smaller than what is drawn here, so that a network does not come to rely on it.

    Parameters
    ----------
    inputs
        One window.
    amount
        Standard deviation of the logarithm of the common factor; the channels' mixture and the offsets are a third and
        a sixth of it. 0: nothing is changed.
    generator
        Of what is drawn.
    """
    if not amount:
        return inputs
    mixture = np.exp(generator.normal(0, amount)) * (np.eye(3) + generator.normal(0, amount / 3, (3, 3)))
    n_features = inputs.image.shape[1]
    scale = np.exp(generator.normal(0, amount, n_features))
    offset = generator.normal(0, amount, n_features)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.as_tensor(values, dtype=inputs.image.dtype, device=inputs.image.device)

    factor, shift = (tensor(values).view(1, -1, 1, 1) for values in (scale, offset))
    return replace(
        inputs,
        pixels=torch.einsum("ij,bjhw->bihw", tensor(mixture), inputs.pixels),
        image=(inputs.image * factor + shift) * inputs.image_valid,
        cell=inputs.cell * factor + shift,
        tissue=inputs.tissue * factor + shift,
    )
