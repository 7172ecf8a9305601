"""A grid with everything that training or sampling reads from it: one section at one scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import PATCHES, TISSUE_BINS, Histology

Window = tuple[slice, slice]
"""Rows and columns of a grid; they begin at multiples of 8."""


@dataclass(frozen=True)
class Condition:
    """What the networks are shown of the spots.

    Parameters
    ----------
    plain
        Makes :attr:`base`, which takes longer than everything else and is not always needed.
    coverage
        ``(rows, columns)`` float16: share of each bin's area inside a visible spot.
    visible
        ``(spots,)`` bool.
    seen
        ``(programs, rows, columns)`` float16: what the networks are shown of the programs. The plain estimate, where
        they learn on the section alone. Where they learned from pairs the Gaussian mean of the spots: the plain
        estimate rests on the section's own fit to its image, which teaches nothing about another section's.
    """

    plain: Callable[[], NDArray[np.float16]]
    coverage: NDArray[np.float16]
    visible: NDArray[np.bool_]
    seen: NDArray[np.float16]

    @cached_property
    def base(self) -> NDArray[np.float16]:
        """``(programs, rows, columns)``: plain estimate of the programs from the visible spots (and the image).

        1 on average.
        """
        return self.plain()

    def cut(self, window: Window) -> Condition:
        """The part in a window."""
        rows, columns = window
        return Condition(
            plain=lambda: self.base[:, rows, columns],
            coverage=self.coverage[window],
            visible=self.visible,
            seen=self.seen[:, rows, columns],
        )


@dataclass(frozen=True)
class View:
    """One section at one scale.

    Parameters
    ----------
    name
        For messages.
    grid
        The bins.
    operator
        Capture operator, ``(spots, bins)`` CSR.
    xy_px, pitch_um
        Centres of the spots ``(spots, 2)``, and the distance between neighbours.
    scale
        ``(programs,)``: mean counts of each program a bin, by which all maps are divided.
    histology
        Features of the image.
    tissue
        ``(rows, columns)`` bool.
    conditions
        At least one.
    counts
        ``(spots, genes)`` CSR: what the spots measured; None where ``truth`` says more.
    scored
        ``(spots,)`` bool: spots that the loss may look at.
    truth
        ``(programs, rows, columns)`` float16, in units of ``scale``: the bins themselves, where they are known.
    fine_counts
        ``(bins, genes)`` CSR: what each bin measured, where that is known.
    stain
        ``(3,)``: mean optical density of the slide's stained points.
    """

    name: str
    grid: FineGrid
    operator: sp.csr_array
    xy_px: NDArray[np.float64]
    pitch_um: float
    scale: NDArray[np.float32]
    histology: Histology
    tissue: NDArray[np.bool_]
    conditions: tuple[Condition, ...]
    counts: sp.csr_matrix | None
    scored: NDArray[np.bool_]
    truth: NDArray[np.float16] | None = None
    fine_counts: sp.csr_matrix | None = None
    stain: NDArray[np.float32] = field(default_factory=lambda: np.ones(3, dtype=np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.grid.n_rows, self.grid.n_cols

    @cached_property
    def extents(self) -> NDArray[np.int64]:
        """First and last row and column of every spot's bins, ``(spots, 4)``; -1 for a spot outside the grid."""
        result = np.full((self.operator.shape[0], 4), -1, dtype=np.int64)
        filled = np.flatnonzero(np.diff(self.operator.indptr))
        starts = self.operator.indptr[filled]
        row, column = np.divmod(self.operator.indices.astype(np.int64), self.grid.n_cols)
        for number, (function, values) in enumerate(
            ((np.minimum, row), (np.maximum, row), (np.minimum, column), (np.maximum, column))
        ):
            if len(filled):
                result[filled, number] = function.reduceat(values, starts)
        return result

    def spots_inside(self, window: Window, margin: int = 0) -> NDArray[np.bool_]:
        """Spots whose bins all lie in a window, at least ``margin`` bins from its border.

        At the border of the grid itself no margin is kept.
        """
        rows, columns = window
        (height, width), box = self.shape, self.extents
        inside = box[:, 0] >= 0
        inside &= box[:, 0] >= rows.start + (margin if rows.start > 0 else 0)
        inside &= box[:, 1] < rows.stop - (margin if rows.stop < height else 0)
        inside &= box[:, 2] >= columns.start + (margin if columns.start > 0 else 0)
        inside &= box[:, 3] < columns.stop - (margin if columns.stop < width else 0)
        return inside

    def cut(self, window: Window) -> View:
        """The part in a window, as a view of its own; spots that reach over its border are no longer scored."""
        rows, columns = window
        grid = self.grid
        px = grid.bin_px
        part = FineGrid(
            grid.bin_um,
            rows.stop - rows.start,
            columns.stop - columns.start,
            (grid.origin_px[0] + columns.start * px, grid.origin_px[1] + rows.start * px),
            grid.px_per_um,
        )
        bins = np.arange(grid.n_bins).reshape(self.shape)[window].ravel()
        return replace(
            self,
            grid=part,
            operator=sp.csr_array(self.operator[:, bins]),
            histology=cut_histology(self.histology, window),
            tissue=self.tissue[window],
            conditions=tuple(shown.cut(window) for shown in self.conditions),
            scored=self.scored & self.spots_inside(window),
            truth=None if self.truth is None else self.truth[:, rows, columns],
            fine_counts=None if self.fine_counts is None else self.fine_counts[bins],
        )


def cut_histology(histology: Histology, window: Window) -> Histology:
    """Histology of a window, with the rings of its patches and tissue-level tokens; its colours have none."""
    rows, columns = window
    patch_rows, patch_columns = _ringed(rows, PATCHES, 1), _ringed(columns, PATCHES, 1)
    tissue_rows, tissue_columns = _ringed(rows, 1, TISSUE_BINS), _ringed(columns, 1, TISSUE_BINS)
    points = histology.pixels_per_bin
    return replace(
        histology,
        fine=histology.fine[:, rows, columns],
        valid=histology.valid[window],
        cell=histology.cell[:, patch_rows, patch_columns],
        cell_rank=histology.cell_rank[patch_rows, patch_columns],
        tissue=histology.tissue[:, tissue_rows, tissue_columns],
        tissue_valid=histology.tissue_valid[tissue_rows, tissue_columns],
        pixels=histology.pixels[
            :, rows.start * points : rows.stop * points, columns.start * points : columns.stop * points
        ],
    )


def _ringed(bins: slice, times: int, divided: int) -> slice:
    return slice(bins.start * times // divided, bins.stop * times // divided + 2)
