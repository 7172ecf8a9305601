"""Fields that look like a measured one and mean nothing: the same roughness at every scale, and nothing in its place.

A smooth field agrees by chance with any other smooth field far better than shuffled values would. What a match is worth
is estimated from fields as smooth as the measured one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

_CELLS_PER_PITCH: Final = 2
_LARGEST_SIDE: Final = 512
_FADE: Final = 0.25
"""Share of the tissue's extent over which a field fades out around it."""


def surrogate_fields(
    xy: NDArray[np.floating], values: NDArray[np.floating], pitch: float, number: int, seed: int = 0
) -> NDArray[np.float64]:
    """Draw fields with the spatial correlation of one that was measured, by random phases.

    The field (each spot's cell filled with its value, fading out around the tissue) is taken apart into waves, whose
    phases are redrawn (Theiler et al. 1992, in the plane); where the spots are, the result is read off and gets the
    measured values by rank, so that the distribution is the same too.

    Parameters
    ----------
    xy
        ``(n, 2)`` places.
    values
        ``(n,)``.
    pitch
        Distance of neighbours, in the unit of ``xy``.
    number
        Fields to draw.
    seed
        Seed of the phases.

    Returns
    -------
    ``(n, number)``.
    """
    rng = np.random.default_rng(seed)
    extent = float(np.ptp(xy, axis=0).max())
    reach = _FADE * extent
    low, size = xy.min(axis=0) - reach, np.ptp(xy, axis=0) + 2 * reach
    side = max(pitch / _CELLS_PER_PITCH, extent / _LARGEST_SIDE)
    shape = tuple(int(n) for n in np.ceil(size / side) + 1)
    column, row = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    distance, nearest = cKDTree(xy).query(low + side * np.column_stack([column.ravel(), row.ravel()]))
    # A step to nothing at the border of the tissue would be rough, as the field itself is not: it fades out.
    fade = np.cos(np.pi / 2 * np.minimum(distance / reach, 1.0))
    field = (values - values.mean())[nearest] * fade
    amplitude = np.abs(np.fft.rfft2(field.reshape(shape)))
    cell = np.rint((xy - low) / side).astype(np.intp)
    ordered = np.sort(values)
    drawn = np.empty((len(xy), number))
    for one in range(number):
        # The phases of noise are random, and fit together as those of real values must.
        phase = np.angle(np.fft.rfft2(rng.standard_normal(shape)))
        surrogate = np.fft.irfft2(amplitude * np.exp(1j * phase), s=shape)
        drawn[np.argsort(surrogate[cell[:, 0], cell[:, 1]], kind="stable"), one] = ordered
    return drawn
