"""The parts of a sample's ``.h5ad`` that a report draws, read without loading the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import h5py
import numpy as np
import pandas as pd
from anndata.io import read_elem, sparse_dataset
from numpy.typing import NDArray

from clearspot import keys
from clearspot.io.denoised_file import denoised_blocks, read_denoised
from clearspot.io.outlines import Outlines, cell_numbers

ROWS_AT_ONCE: Final = 20_000
"""Spots of a layer that are held in memory at once, of no more than a thousand genes."""

VALUES_AT_ONCE: Final = 20_000_000

Block = tuple[NDArray[np.intp], NDArray[np.float32]]
"""Numbers of some spots, and their values of some genes."""


@dataclass(frozen=True)
class CellOutlines:
    """Polygons of the cells of a sample, or of their nuclei.

    Parameters
    ----------
    rows
        Number of each polygon's cell among the spots of the sample.
    polygons
        In full-resolution pixels.
    """

    rows: NDArray[np.intp]
    polygons: Outlines

    def within(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> CellOutlines:
        """Return the polygons that reach into a rectangle from ``low`` to ``high``, each ``[x, y]``."""
        starts, xy = self.polygons.offsets[:-1], self.polygons.xy
        lowest, highest = np.minimum.reduceat(xy, starts), np.maximum.reduceat(xy, starts)
        reach = np.flatnonzero(((highest >= low) & (lowest <= high)).all(axis=1))
        return CellOutlines(self.rows[reach], self.polygons.take(reach))


class SampleData:
    """Drawable content of a sample's AnnData file.

    Parameters
    ----------
    path
        The ``.h5ad`` of the data contract.
    denoised
        File with the denoised values (in ``X``) of the modelled spots and genes, where they are too large for a layer.

    Attributes
    ----------
    obs, var
        The two tables.
    xy
        Spot centres in full-resolution pixels, shape ``(n_spots, 2)``, columns x and y.
    scalefactors
        As Space Ranger wrote them; empty where the file has none.
    images
        Names of the pictures in the file.
    """

    def __init__(self, path: Path, denoised: Path | None = None):
        self.path, self.denoised_path = path, denoised
        with h5py.File(path, "r") as file:
            self.obs: pd.DataFrame = read_elem(file["obs"])
            self.var: pd.DataFrame = read_elem(file["var"])
            self.xy: NDArray[np.float64] = np.asarray(read_elem(file["obsm"][keys.SPATIAL]), dtype=np.float64)[:, :2]
            self.layers = frozenset(file["layers"]) if "layers" in file else frozenset()
            self.provenance: dict[str, Any] = read_elem(file["uns"][keys.UNS]) if keys.UNS in file["uns"] else {}
            library = self._library(file)
            self._library_key = None if library is None else library.name
            self.scalefactors: dict[str, float] = (
                read_elem(library["scalefactors"]) if library is not None and "scalefactors" in library else {}
            )
            self.images: tuple[str, ...] = (
                tuple(library["images"]) if library is not None and "images" in library else ()
            )

    def image(self, name: str) -> NDArray[Any]:
        """Return a picture, shape ``(height, width[, channels])``."""
        with h5py.File(self.path, "r") as file:
            return np.asarray(read_elem(file[f"{self._library_key}/images/{name}"]))

    def scalefactors_of(self, library: str) -> dict[str, float]:
        """Return the scale factors of one library, as each section of a study is; empty where the file has none."""
        with h5py.File(self.path, "r") as file:
            place = f"{keys.UNS_SPATIAL}/{library}/scalefactors"
            found: dict[str, float] = read_elem(file["uns"][place]) if place in file["uns"] else {}
            return found

    def outlines(self, part: Literal["cells", "nuclei"]) -> CellOutlines | None:
        """Return the outlines of segmented cells, or of the nuclei of those that have one; ``None`` without any."""
        kept = self.provenance.get(keys.OUTLINES, {}).get(part)
        if kept is None:
            return None
        polygons = Outlines.from_dict(kept)
        places = polygons.rows_of(cell_numbers(self.obs.index))
        rows = np.flatnonzero(places >= 0)
        return CellOutlines(rows, polygons.take(places[rows])) if len(rows) else None

    def genes(self, layer: str, names: Sequence[str]) -> NDArray[np.float32]:
        """Return columns of a layer, shape ``(n_spots, len(names))``; NaN stays NaN.

        Raises
        ------
        KeyError
            If a gene is not in the file.
        """
        values = np.empty((len(self.obs), len(names)), dtype=np.float32)
        for rows, block in self.gene_blocks(layer, names):
            values[rows] = block
        return values

    def gene_blocks(self, layer: str, names: Sequence[str]) -> Iterator[Block]:
        """Read columns of a layer some spots at a time: their numbers, and values of shape ``(n_rows, len(names))``.

        Raises
        ------
        KeyError
            If a gene is not in the file.
        """
        columns = self.var.index.get_indexer(list(names))
        if (columns < 0).any():
            raise KeyError([name for name, column in zip(names, columns, strict=True) if column < 0])
        at_once = max(1, min(ROWS_AT_ONCE, VALUES_AT_ONCE // max(len(columns), 1)))
        with h5py.File(self.path, "r") as file:
            element = file["layers"][layer]
            dense = isinstance(element, h5py.Dataset)
            source = element if dense else sparse_dataset(element)
            for start in range(0, len(self.obs), at_once):
                part = source[start : start + at_once][:, columns]
                yield np.arange(start, start + part.shape[0]), part if dense else part.toarray()

    @property
    def measured_layer(self) -> str:
        """Layer of measured counts to draw: without stripes where they were taken out."""
        return keys.DESTRIPED if keys.DESTRIPED in self.layers else keys.COUNTS

    @property
    def has_denoised(self) -> bool:
        """Whether there are denoised values, in a layer or in a file of their own."""
        return keys.DENOISED in self.layers or self.denoised_path is not None

    def denoised(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return denoised values, shape ``(n_spots, len(names))``; NaN where nothing was modelled."""
        if self.denoised_path is None:
            return self.genes(keys.DENOISED, names)
        return read_denoised(self.denoised_path, self.obs.index, names)

    def denoised_blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Read denoised values some spots at a time, as :meth:`gene_blocks`; spots in no block were not modelled."""
        if self.denoised_path is None:
            return self.gene_blocks(keys.DENOISED, names)
        return denoised_blocks(self.denoised_path, self.obs.index, names)

    @staticmethod
    def _library(file: h5py.File) -> h5py.Group | None:
        spatial = file["uns"].get(keys.UNS_SPATIAL)
        return None if spatial is None or len(spatial) == 0 else spatial[sorted(spatial)[0]]
