"""What the histology image says about every bin, every cell-sized patch and every stretch of tissue, and its colours.

Computed once a section and kept as 16-bit floats and bytes: training and sampling never touch the image itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2hed

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.encoder import Encoder
from clearspot.diffst.image.image_samples import GridImage
from clearspot.diffst.image.stain import STAINED, optical_density
from clearspot.errors import BadInputError, Problem
from clearspot.io.atomic import atomic_path

PATCHES = 2
"""Cell-level patches along a side of a bin."""

TISSUE_BINS = 8
"""Bins along a side of a tissue-level token."""

FEATURES = ("red", "green", "blue", "haematoxylin", "eosin", "brightness_sd", "haematoxylin_sd", "edges", "entropy")
_POINTS_PER_PATCH = 6
_BINS_PER_STRIP = 32
_GREY_LEVELS = 8
_POINT_UM = 1.5
_MOST_POINTS = 16
_WHITE = 255
_FEWEST_STAINED = 64
_FORMAT = 3  # 2: with the colours; 3: with the name of the image encoder


@dataclass(frozen=True)
class Histology:
    """Features of the image on the grid. Those of patches and tissue have one ring of padding, for their windows.

    Parameters
    ----------
    fine
        ``(features, rows, columns)`` float16, standardised over the image; 0 where there is none.
    valid
        ``(rows, columns)`` bool: whether the image covers the bin.
    cell
        ``(features, 2 rows + 2, 2 columns + 2)`` float16: the same features of each patch.
    cell_rank
        ``(2 rows + 2, 2 columns + 2)`` float16: 0 for the patch of lowest entropy, 1 for the highest; -1: no image.
    tissue
        ``(features, rows / 8 + 2, columns / 8 + 2)`` float16: means over 8 x 8 bins.
    tissue_valid
        ``(rows / 8 + 2, columns / 8 + 2)`` bool.
    pixels
        ``(3, rows * P, columns * P)`` uint8: the colours at P x P regular points of every bin, each the mean around it;
        255 where there is no image. Empty, ``(3, 0, 0)``, for a section without an image and a network that looks at no
        pixels. It has no ring.
    encoder
        Name of the image encoder whose features stand behind those of :data:`FEATURES`; empty: there are no more.
    """

    fine: NDArray[np.float16]
    valid: NDArray[np.bool_]
    cell: NDArray[np.float16]
    cell_rank: NDArray[np.float16]
    tissue: NDArray[np.float16]
    tissue_valid: NDArray[np.bool_]
    pixels: NDArray[np.uint8]
    encoder: str = ""

    @property
    def pixels_per_bin(self) -> int:
        """P: points of :attr:`pixels` along a side of a bin; 0 without an image."""
        return self.pixels.shape[1] // max(self.shape[0], 1)

    @property
    def n_features(self) -> int:
        """How many features each bin has."""
        return len(self.fine)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.valid.shape[0], self.valid.shape[1]

    def coarsened(self, factor: int, shape: tuple[int, int]) -> Histology:
        """The same image on bins that are ``factor`` times as wide.

        Parameters
        ----------
        factor
            Bins along a side of a new bin.
        shape
            Rows and columns of the new grid; what lies beyond this one has no image.
        """
        rows, columns = shape[0] * factor, shape[1] * factor
        patches = _fit(self.cell[:, 1:-1, 1:-1], (rows * PATCHES, columns * PATCHES))
        ranks = _fit(self.cell_rank[1:-1, 1:-1], (rows * PATCHES, columns * PATCHES), fill=-1)
        fine = _fit(self.fine, (rows, columns))
        valid = _fit(self.valid, (rows, columns))
        points = self.pixels_per_bin
        colours = _fit(self.pixels, (rows * points, columns * points), fill=_WHITE)
        return assemble(
            _block_mean(fine, valid, factor),
            _block_mean(valid[None].astype(np.float32), None, factor)[0] > 0.5,
            _block_mean(patches, ranks >= 0, factor),
            _block_mean(np.maximum(ranks, 0)[None], ranks >= 0, factor)[0],
            pixels=_mean_colour(colours, factor),
            encoder=self.encoder,
        )

    def write(self, path: Path, about: dict[str, Any]) -> None:
        """Write to an ``.npz`` file, whole or not at all; ``about`` holds plain numbers and strings."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        with atomic_path(path) as partial, partial.open("wb") as file:
            stated: dict[str, Any] = {f"about_{name}": np.asarray(value) for name, value in about.items()}
            np.savez(file, format=np.asarray(_FORMAT), **arrays, **stated)

    @classmethod
    def read(cls, path: Path) -> tuple[Histology, dict[str, Any]]:
        """Read what :meth:`write` wrote.

        Raises
        ------
        BadInputError
            If another version wrote it.
        """
        with np.load(path, allow_pickle=False) as content:
            if (found := int(content["format"]) if "format" in content.files else 1) != _FORMAT:
                mend = (
                    "Compute it again from the image with histology_embed.py, or with reference_prepare.py for a "
                    "reference."
                )
                words = f"image features in format {found}, from another version"
                raise BadInputError(Problem(path.name.split(".")[0], path.name, words, f"format {_FORMAT}", mend))
            about = {name[6:]: content[name][()] for name in content.files if name.startswith("about_")}
            arrays = {name: content[name] for name in cls.__dataclass_fields__}
            return cls(**arrays | {"encoder": str(arrays["encoder"])}), about


def no_image(shape: tuple[int, int], n_features: int = len(FEATURES), pixels_per_bin: int = 0) -> Histology:
    """Histology of a section without an image.

    Parameters
    ----------
    shape
        Rows and columns of the grid.
    n_features
        Image features, all missing.
    pixels_per_bin
        P of :attr:`Histology.pixels` that a network expects, all white.
    """
    rows, columns = shape
    white = np.broadcast_to(np.uint8(_WHITE), (3, rows * pixels_per_bin, columns * pixels_per_bin))
    features = np.zeros((n_features, rows, columns), np.float32)
    patches = np.zeros((n_features, rows * PATCHES, columns * PATCHES), np.float32)
    entropy = np.zeros(patches.shape[1:], np.float32)
    return assemble(features, np.zeros(shape, bool), patches, entropy, pixels=white if pixels_per_bin else None)


def embed(image: GridImage, grid: FineGrid, encoder: Encoder | None = None) -> Histology:
    """Compute the features of an image, strip by strip.

    Parameters
    ----------
    image
        The image.
    grid
        Rows and columns are multiples of 8.
    encoder
        Adds its features to those of :data:`FEATURES`.
    """
    shape = (grid.n_rows, grid.n_cols)
    patches = np.zeros((len(FEATURES), shape[0] * PATCHES, shape[1] * PATCHES), np.float32)
    covered = np.zeros((shape[0] * PATCHES, shape[1] * PATCHES), np.float32)
    for first, pixels, inside in image.strips(PATCHES * _POINTS_PER_PATCH, _BINS_PER_STRIP):
        rows = slice(first * PATCHES, first * PATCHES + len(pixels) // _POINTS_PER_PATCH)
        patches[:, rows] = _patch_features(pixels)
        covered[rows] = _pool(inside.astype(np.float32))
    if encoder is not None:
        seen = encoder.maps(image, grid).repeat(PATCHES, axis=1).repeat(PATCHES, axis=2)
        patches = np.concatenate([patches, seen])
    valid_patches = covered > 0.5
    valid = _block_mean(covered[None], None, PATCHES)[0] > 0.5
    fine = _block_mean(patches, valid_patches, PATCHES)
    pixels = _colours(image, grid)
    entropy = patches[FEATURES.index("entropy")]
    name = "" if encoder is None else encoder.name
    return assemble(fine, valid, patches, entropy, valid_patches, pixels=pixels, encoder=name)


def assemble(
    fine: NDArray[Any],
    valid: NDArray[np.bool_],
    cell: NDArray[Any],
    entropy: NDArray[Any],
    cell_valid: NDArray[np.bool_] | None = None,
    *,
    pixels: NDArray[np.uint8] | None = None,
    encoder: str = "",
) -> Histology:
    """Standardise, rank by entropy, average over tissue and pad."""
    if cell_valid is None:
        cell_valid = valid.repeat(PATCHES, 0).repeat(PATCHES, 1)
    stained = valid if pixels is None or not pixels.size else _stained(pixels, valid)
    fine = _standardised(fine, valid, stained)
    rank = np.full(entropy.shape, -1, np.float32)
    if cell_valid.any():
        order = entropy[cell_valid].argsort(kind="stable").argsort(kind="stable")
        rank[cell_valid] = order / max(len(order) - 1, 1)
    tissue_valid = _block_mean(valid[None].astype(np.float32), None, TISSUE_BINS)[0] > 0
    tissue = _block_mean(fine, valid, TISSUE_BINS)
    return Histology(
        fine=fine.astype(np.float16),
        valid=valid,
        cell=_ring(_standardised(cell, cell_valid, stained.repeat(PATCHES, 0).repeat(PATCHES, 1))).astype(np.float16),
        cell_rank=np.pad(rank, 1, constant_values=-1).astype(np.float16),
        tissue=_ring(tissue).astype(np.float16),
        tissue_valid=np.pad(tissue_valid, 1),
        pixels=np.zeros((3, 0, 0), np.uint8) if pixels is None else pixels,
        encoder=encoder,
    )


def points_per_bin(bin_um: float) -> int:
    """P of :attr:`Histology.pixels`: the power of two, 2 to 16, with which points are about 1.5 µm apart (1 to 2)."""
    return int(np.clip(2 ** round(float(np.log2(bin_um / _POINT_UM))), 2, _MOST_POINTS))


def _colours(image: GridImage, grid: FineGrid) -> NDArray[np.uint8]:
    """Colours at regular points of every bin, each the mean of four around it; white where there is no image."""
    points = points_per_bin(grid.bin_um)
    colours = np.full((3, grid.n_rows * points, grid.n_cols * points), _WHITE, np.uint8)
    for first, pixels, inside in image.strips(2 * points, _BINS_PER_STRIP):
        pixels[~inside] = _WHITE
        strip = _mean_colour(pixels.transpose(2, 0, 1), 2)
        colours[:, first * points : first * points + strip.shape[1]] = strip
    return colours


def _mean_colour(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Mean over blocks of the last two axes."""
    # a sum of strided pictures is five times as fast as NumPy's mean over two short axes
    total: NDArray[np.float32] = np.zeros((len(pixels), *(length // side for length in pixels.shape[1:])), np.float32)
    for row, column in np.ndindex(side, side):
        total += pixels[:, row::side, column::side]
    return np.rint(total / side**2).astype(np.uint8)


def _patch_features(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Features of every patch of a strip, in the order of :data:`FEATURES`."""
    colour = pixels.astype(np.float32) / 255
    grey: NDArray[np.float32] = colour.mean(axis=2, dtype=np.float32)
    stains: NDArray[np.floating] = rgb2hed(colour)
    haematoxylin, eosin = (stains[:, :, number].astype(np.float32) for number in range(2))
    down = np.abs(np.diff(grey, axis=0, append=grey[-1:])).astype(np.float32)
    across = np.abs(np.diff(grey, axis=1, append=grey[:, -1:])).astype(np.float32)
    return np.stack(
        [
            *(_pool(colour[:, :, channel]) for channel in range(3)),
            _pool(haematoxylin),
            _pool(eosin),
            _pool_sd(grey),
            _pool_sd(haematoxylin),
            _pool(down + across),
            _entropy(grey),
        ]
    )


def _entropy(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shannon entropy, in bits, of the grey levels of each patch."""
    level = np.minimum((grey * _GREY_LEVELS).astype(np.int8), _GREY_LEVELS - 1)
    total: NDArray[np.float32] = np.zeros([side // _POINTS_PER_PATCH for side in grey.shape], np.float32)
    for number in range(_GREY_LEVELS):
        share = _pool((level == number).astype(np.float32))
        total -= share * np.log2(np.maximum(share, 1e-12))
    return total


def _pool(values: NDArray[np.floating]) -> NDArray[np.float32]:
    rows, columns = (side // _POINTS_PER_PATCH for side in values.shape)
    return values.reshape(rows, _POINTS_PER_PATCH, columns, _POINTS_PER_PATCH).mean(axis=(1, 3))


def _pool_sd(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.sqrt(np.maximum(_pool(values**2) - _pool(values) ** 2, 0))


def _block_mean(values: NDArray[Any], weight: NDArray[np.bool_] | None, side: int) -> NDArray[np.floating]:
    """Mean over blocks of the last two axes, over the entries with weight; 0 where there are none."""
    channels, rows, columns = values.shape
    blocks = (channels, rows // side, side, columns // side, side)
    values = np.asarray(values, dtype=np.float32)
    if weight is None:
        return values.reshape(blocks).mean(axis=(2, 4))
    total = (values * weight).reshape(blocks).sum(axis=(2, 4))
    return total / np.maximum(weight.reshape(blocks[1:]).sum(axis=(1, 3)), 1)


def _stained(pixels: NDArray[np.uint8], valid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Bins of tissue, by their colour; all that are valid where too few are stained to say."""
    colour = _mean_colour(pixels, pixels.shape[1] // len(valid))
    density = optical_density(colour, np.ones(3, dtype=np.float32)).mean(axis=0)
    stained = valid & (density > STAINED)
    return stained if stained.sum() >= _FEWEST_STAINED else valid


def _standardised(values: NDArray[Any], valid: NDArray[np.bool_], stained: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Mean 0 and standard deviation 1 over what is stained, clipped at 5; 0 where nothing is valid.

    How much glass lies around a section is no feature of its tissue, so it has no say in the scale.
    """
    result = np.zeros(values.shape, np.float32)
    if valid.any():
        tissue = np.asarray(values[:, stained & valid], dtype=np.float32)
        scale = np.maximum(tissue.std(axis=1, keepdims=True), 1e-6)
        inside = np.asarray(values[:, valid], dtype=np.float32)
        result[:, valid] = np.clip((inside - tissue.mean(axis=1, keepdims=True)) / scale, -5, 5)
    return result


def _ring(values: NDArray[Any]) -> NDArray[Any]:
    return np.pad(values, ((0, 0), (1, 1), (1, 1)))


def _fit(values: NDArray[Any], shape: tuple[int, int], fill: float = 0) -> NDArray[Any]:
    """Cut or pad the last two axes, at their ends."""
    cut = values[..., : shape[0], : shape[1]]
    missing = [(0, wanted - side) for side, wanted in zip(cut.shape[-2:], shape, strict=True)]
    return np.pad(cut, [(0, 0)] * (values.ndim - 2) + missing, constant_values=fill)
