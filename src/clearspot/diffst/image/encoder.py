"""A pretrained image encoder: what it sees in patches of tissue, as further image features."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.encoder_folder import EncoderModel, read_encoder
from clearspot.diffst.image.image_samples import GridImage
from clearspot.threads import cpu_threads

if TYPE_CHECKING:
    from torch import Tensor

COMPONENTS: Final = 16
"""Random projections of the encoder's features that are kept."""

_TILE_UM: Final = 64.0
_UM_PER_POINT: Final = 1.0
_PATCHES_AT_ONCE: Final = 16
_WHITE: Final = 255


class Encoder:
    """An image model that looks at patches of a section.

    Parameters
    ----------
    model
        What :func:`clearspot.diffst.image.encoder_folder.read_encoder` gave.
    threads
        CPU threads; None: PyTorch's choice.
    """

    def __init__(self, model: EncoderModel, threads: int | None = None):
        import torch

        self._model, self._threads = model, threads
        self._mean, self._sd = (
            torch.tensor(values).view(1, 3, 1, 1) for values in (model.config.mean, model.config.sd)
        )

    @classmethod
    def open(cls, folder: Path, sample: str, threads: int | None = None) -> Encoder:
        """Read a model; arguments and errors as :func:`clearspot.diffst.image.encoder_folder.read_encoder`."""
        return cls(read_encoder(folder, sample), threads)

    @property
    def name(self) -> str:
        """Architecture and hash: equal where the features are."""
        return self._model.name

    def maps(self, image: GridImage, grid: FineGrid) -> NDArray[np.float32]:
        """Features of every bin, ``(components, rows, columns)``, not standardised.

        The grid is cut into tiles of about 64 µm, whole bins wide; all bins of a tile get its features. The patch round
        a tile is as wide as the model's input is at the scale that it learned from: 112 µm for 224 pixels of 0.5 µm.
        Beyond the image and the grid there is white.

        Each of the encoder's features is standardised over the section, then projected onto random directions, which
        are the same for all sections: those of a section's own principal components would not be.

        Parameters
        ----------
        image
            The image.
        grid
            Rows and columns are multiples of 8.
        """
        import torch

        side = min((1, 2, 4, 8), key=lambda bins: abs(bins * grid.bin_um - _TILE_UM))
        rows, columns = grid.n_rows // side, grid.n_cols // side
        covered = np.zeros((rows, columns), dtype=bool)
        found = []
        for row, patches, inside in self._rows_of_patches(image, grid, side):
            covered[row] = inside
            with cpu_threads(self._threads):
                found += [self._features(part) for part in torch.from_numpy(patches).split(_PATCHES_AT_ONCE)]
        result = np.zeros((COMPONENTS, rows, columns), dtype=np.float32)
        if found:
            result[:, covered] = _projected(torch.cat(found).numpy()).T
        return result.repeat(side, axis=1).repeat(side, axis=2)

    def _rows_of_patches(
        self, image: GridImage, grid: FineGrid, side: int
    ) -> Iterator[tuple[int, NDArray[np.uint8], NDArray[np.bool_]]]:
        """Patches ``(patches, 3, points, points)`` of one row of tiles after the other, where the image covers most.

        Yields
        ------
        The row, its patches, and which of its tiles they belong to.
        """
        config = self._model.config
        tile = side * max(1, round(grid.bin_um / _UM_PER_POINT))
        point_um = side * grid.bin_um / tile
        margin = max(0, round((config.side * config.um_per_px / point_um - tile) / 2))
        beside = -(-margin // tile)
        width = grid.n_cols // side * tile
        blank = np.full((tile, width + 2 * margin, 3), _WHITE, np.uint8)
        bands, inside_of = [blank] * beside, []
        strips = image.strips(tile // side, side)
        last = grid.n_rows // side
        for row in range(-beside, last):
            strip = next(strips, None)
            if strip is None:
                bands.append(blank)
            else:
                _, pixels, inside = strip
                band = blank.copy()
                band[:, margin : margin + width] = np.where(inside[:, :, None], pixels, _WHITE)
                bands.append(band)
                inside_of.append(inside.reshape(tile, -1, tile).mean(axis=(0, 2)) > 0.5)
            if row < 0:
                continue
            high = np.concatenate(bands)[beside * tile - margin : (beside + 1) * tile + margin]
            patches = sliding_window_view(high, tile + 2 * margin, axis=1)[:, ::tile]
            chosen = inside_of[row]
            if chosen.any():
                yield row, np.ascontiguousarray(patches[:, chosen].transpose(1, 2, 0, 3)), chosen
            bands.pop(0)

    def _features(self, pixels: Tensor) -> Tensor:
        import torch
        from torch import nn

        config = self._model.config
        size = (config.side, config.side)
        with torch.no_grad():
            colours = pixels.float() / 255
            resized = nn.functional.interpolate(colours, size, mode=config.interpolation, antialias=True)
            return self._model.features((resized.clamp(0, 1) - self._mean) / self._sd)


def _projected(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(patches, features)`` to ``(patches, components)``."""
    from sklearn.random_projection import GaussianRandomProjection

    scaled = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)
    projection = GaussianRandomProjection(COMPONENTS, random_state=0)
    return np.asarray(projection.fit_transform(scaled), dtype=np.float32)
