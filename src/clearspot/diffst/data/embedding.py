"""The image's features on a section's grid: computed once, kept in a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
from numpy.typing import NDArray

from clearspot import keys
from clearspot.diffst.data.section import read_section
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.encoder import Encoder
from clearspot.diffst.image.histology import Histology, embed
from clearspot.diffst.image.image_samples import GridImage
from clearspot.diffst.params import DiffstParams
from clearspot.errors import BadInputError, Problem
from clearspot.io.scale import PIXELS_PER_BIN
from clearspot.record import Message


@dataclass(frozen=True)
class Embedding:
    """Histology and the grid it is for.

    Parameters
    ----------
    histology
        Features.
    grid
        Fine grid.
    um_per_px
        Micrometres a pixel as the features were read.
    messages
        What the reader should know.
    """

    histology: Histology
    grid: FineGrid
    um_per_px: float
    messages: tuple[Message, ...] = ()

    def write(self, path: Path) -> None:
        """Write to an ``.npz`` file."""
        grid = self.grid
        about = {
            "bin_um": grid.bin_um,
            "n_rows": grid.n_rows,
            "n_cols": grid.n_cols,
            "origin_px": np.asarray(grid.origin_px, dtype=np.float64),
            "px_per_um": grid.px_per_um,
            "um_per_px": self.um_per_px,
        }
        self.histology.write(path, about)

    @classmethod
    def read(cls, path: Path) -> Embedding:
        """Read what :meth:`write` wrote."""
        histology, about = Histology.read(path)
        x, y = (float(value) for value in about["origin_px"])
        grid = FineGrid(
            float(about["bin_um"]), int(about["n_rows"]), int(about["n_cols"]), (x, y), float(about["px_per_um"])
        )
        return cls(histology, grid, float(about["um_per_px"]))


def embed_histology(
    adata: ad.AnnData,
    image: Path | str | NDArray[np.uint8],
    sample: str,
    params: DiffstParams,
    *,
    microns_per_pixel: float | None = None,
) -> Embedding:
    """Lay the fine grid over a section, and compute the image's features on it.

    Where the image's pixels are too coarse for the requested bins, the bin size is two pixels.

    Parameters
    ----------
    adata
        The section.
    image
        Full-resolution image: a file, or its pixels (height x width x 3). It may be smaller where
        ``uns['clearspot']['image']`` says so.
    sample
        Sample name.
    params
        Settings: bins and genes.
    microns_per_pixel
        Overrides ``uns['clearspot']``.

    Raises
    ------
    BadInputError
        If the section has no scale or positions, or the image cannot be read, is too coarse, or lies elsewhere.
    """
    if isinstance(image, str):
        image = Path(image)
    grid = read_section(adata, sample, params, microns_per_pixel=microns_per_pixel).grid
    opened = _open(image, grid, adata, sample)
    messages: tuple[Message, ...] = ()
    finest = PIXELS_PER_BIN * opened.um_per_px
    if finest > grid.bin_um:
        params = replace(params, bin_um=finest)
        text = (
            f"The image has {opened.um_per_px:.2g} µm per pixel, so the bin size is {finest:.3g} µm instead of "
            f"{grid.bin_um:.3g} µm."
        )
        messages = (Message("warning", text),)
        grid = read_section(adata, sample, params, microns_per_pixel=microns_per_pixel).grid
        opened = _open(image, grid, adata, sample)
    encoder = None
    if params.image_encoder is not None:
        encoder = Encoder.open(Path(params.image_encoder), sample, params.threads)
    histology = embed(opened, grid, encoder)
    if not histology.valid.any():
        name = image.name if isinstance(image, Path) else "image"
        found, mend = "an image that covers none of the spots", "Provide the image used by Space Ranger."
        raise BadInputError(Problem(sample, name, found, "an image that covers the spots", mend))
    return Embedding(histology, grid, opened.um_per_px, messages)


def _open(image: Path | NDArray[np.uint8], grid: FineGrid, adata: ad.AnnData, sample: str) -> GridImage:
    stated = adata.uns.get(keys.UNS, {}).get(keys.IMAGE, {})
    scale = float(stated.get(keys.PIXELS_PER_FULLRES_PIXEL, 1.0))
    if isinstance(image, Path):
        return GridImage.open(image, grid, sample, scale)
    return GridImage(image, (scale, scale), grid)
