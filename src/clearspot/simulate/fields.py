"""Smooth random fields."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_SAMPLES_PER_LENGTH = 4
"""Grid points per correlation length: enough that linear interpolation shows no facets."""


def smooth_field(rng: np.random.Generator, shape: tuple[int, int], length: float) -> np.ndarray:
    """Gaussian random field with zero mean, unit standard deviation and a Gaussian correlation.

    The noise is filtered on a coarse grid and interpolated, so the cost does not grow with ``length``.

    Parameters
    ----------
    rng
        Source of the noise.
    shape
        Rows and columns of the field.
    length
        Standard deviation of the smoothing kernel, in pixels.

    Returns
    -------
    float32 array of ``shape``.
    """
    step = max(length / _SAMPLES_PER_LENGTH, 1.0)
    coarse = tuple(int(np.ceil(n / step)) + 2 for n in shape)
    # Wrapping keeps the variance the same at the border; the coarse grid need not be larger than the field.
    field = ndimage.gaussian_filter(rng.standard_normal(coarse), length / step, mode="wrap")
    rows, cols = (np.arange(n) / step for n in shape)
    field = ndimage.map_coordinates(field, np.meshgrid(rows, cols, indexing="ij"), order=1)
    field -= field.mean()
    return (field / field.std()).astype(np.float32)


def periodic_texture(rng: np.random.Generator, size: int, blur: float) -> np.ndarray:
    """Square of smoothed noise that tiles the plane without a seam (zero mean, unit standard deviation)."""
    noise = ndimage.gaussian_filter(rng.standard_normal((size, size)), blur, mode="wrap")
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)
