"""Random fields by which single genes stray from their programs in a draw: smooth within a pitch, log-normal."""

from __future__ import annotations

from typing import Final
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy import ndimage

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.geometry.noise_field import standard_normal

_CELLS_PER_PITCH: Final = 4
FINE_CELLS: Final = 0.7
"""Standard deviation of the smoothing Gaussian, in cells."""

COARSE_CELLS: Final = 2.0
"""The same where something else, as the diffusion's draws, varies within a pitch."""

_FIELDS_TO_SCALE_BY: Final = 16


class GeneNoise:
    """Fields of unit variance where spots average them.

    The noise lives on cells of a quarter of a pitch, is smoothed there and interpolated to the bins. It depends on
    seed, sample, draw, gene and place alone, so neither the genes' order nor how they are grouped changes it.

    Parameters
    ----------
    grid
        The bins.
    operator
        Capture operator, by which the variance is scaled.
    pitch_um
        Distance between neighbouring spots.
    seed, sample
        Seed, and the sample's name.
    smooth_cells
        :data:`FINE_CELLS` or :data:`COARSE_CELLS`.
    """

    def __init__(
        self,
        grid: FineGrid,
        operator: sp.csr_array,
        pitch_um: float,
        seed: int,
        sample: str,
        smooth_cells: float = FINE_CELLS,
    ):
        self._grid, self._seed, self._sample, self._smooth_cells = grid, seed, sample, smooth_cells
        self._step = max(1.0, pitch_um / grid.bin_um / _CELLS_PER_PITCH)
        self._shape = tuple(int(np.ceil(side / self._step)) + 2 for side in grid.shape)
        self._places = [(np.arange(side) + 0.5) / self._step + 0.5 for side in grid.shape]
        area = np.asarray(operator.sum(axis=1)).ravel()
        used = area > 0.5 * area.max(initial=0)
        fields = np.stack([self._raw("", number).ravel() for number in range(_FIELDS_TO_SCALE_BY)], axis=1)
        at_bins = float(np.mean(fields**2))
        at_spots = at_bins
        if used.any():
            inside = operator[used]
            at_bins = float(np.average((fields**2).mean(axis=1), weights=np.asarray(inside.sum(axis=0)).ravel()))
            at_spots = float(np.mean(((inside @ fields) / area[used, None]) ** 2))
        self._scale = np.float32(1 / np.sqrt(max(at_spots, 1e-12)))
        # a logarithm's variance that raises the mean is that of the bins, larger than that of what a spot averages
        self._excess = np.float32(at_bins / max(at_spots, 1e-12))

    def factors(self, draw: int, genes: tuple[str, ...], sd: NDArray[np.floating]) -> NDArray[np.float32]:
        """Factors ``(bins, genes)`` with mean 1 at spots.

        Parameters
        ----------
        draw
            Number of the draw.
        genes
            Their names.
        sd
            ``(genes,)``: standard deviation of the logarithm of a spot's factor.
        """
        result = np.empty((self._grid.n_bins, len(genes)), dtype=np.float32)
        for column, (gene, spread) in enumerate(zip(genes, sd, strict=True)):
            field = self._raw(gene, draw).ravel() * self._scale * np.float32(spread)
            result[:, column] = np.exp(np.clip(field, -4, 4) - self._excess * np.float32(spread) ** 2 / 2)
        return result

    def _raw(self, gene: str, draw: int) -> NDArray[np.float32]:
        key = crc32(f"{self._sample}/{draw}/{gene}".encode())
        noise = standard_normal(self._seed, key, 1, slice(0, self._shape[0]), slice(0, self._shape[1]))[0]
        smooth = ndimage.gaussian_filter(noise, self._smooth_cells)
        for axis, places in enumerate(self._places):
            low = np.minimum(places.astype(np.intp), smooth.shape[axis] - 2)
            share = np.expand_dims((places - low).astype(np.float32), 1 - axis)
            first, second = smooth.take(low, axis=axis), smooth.take(low + 1, axis=axis)
            smooth = first * (1 - share) + second * share
        return smooth
