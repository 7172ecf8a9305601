"""The fine grid: square bins, aligned with the axes of the full-resolution image."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class FineGrid:
    """Square bins, numbered row by row from the upper left: ``index = row * n_cols + col``.

    Parameters
    ----------
    bin_um
        Edge of a bin.
    n_rows, n_cols
        Size of the grid.
    origin_px
        Full-resolution pixel (x, y) of the upper left corner of bin (0, 0); may lie outside the image.
    px_per_um
        Full-resolution pixels per micrometre.

    Raises
    ------
    ValueError
        If a size is not above 0.
    """

    bin_um: float
    n_rows: int
    n_cols: int
    origin_px: tuple[float, float]
    px_per_um: float

    def __post_init__(self) -> None:
        for name in ("bin_um", "n_rows", "n_cols", "px_per_um"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")

    @classmethod
    def covering(
        cls, xy_px: ArrayLike, px_per_um: float, bin_um: float, margin_um: float, *, multiple: int = 8
    ) -> FineGrid:
        """Smallest grid that covers the points with a margin and has whole multiples of bins.

        Parameters
        ----------
        xy_px
            (n, 2): full-resolution pixels (x, y), such as ``obsm['spatial']``.
        px_per_um, bin_um
            See the class.
        margin_um
            Least distance from a point to the grid's edge: at least the spot's radius, or spots are cut.
        multiple
            Rows and columns are multiples of this (the total stride of a network that runs on the grid). What that
            adds is added on both sides.
        """
        points = np.asarray(xy_px, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points):
            raise ValueError(f"expected points as (n, 2), not {points.shape}")
        if not np.isfinite(points).all():
            raise ValueError("positions are not all finite")
        low, high = points.min(axis=0) / px_per_um - margin_um, points.max(axis=0) / px_per_um + margin_um
        n_cols, n_rows = (max(ceil(length / bin_um / multiple - 1e-9), 1) * multiple for length in high - low)
        start = (low + high) / 2 - np.array([n_cols, n_rows]) * bin_um / 2
        return cls(bin_um, n_rows, n_cols, (float(start[0] * px_per_um), float(start[1] * px_per_um)), px_per_um)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.n_rows, self.n_cols

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return self.n_rows * self.n_cols

    @property
    def bin_px(self) -> float:
        """Edge of a bin in full-resolution pixels."""
        return self.bin_um * self.px_per_um

    def centres_px(self, bins: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Centres of some bins, or of all, (bins, 2): full-resolution pixels [column, row]."""
        row, col = np.divmod(np.arange(self.n_bins) if bins is None else bins, self.n_cols)
        return np.column_stack([col + 0.5, row + 0.5]) * self.bin_px + np.asarray(self.origin_px)

    def affine(self) -> NDArray[np.float64]:
        """3 x 3 matrix from grid coordinates (column, row, 1) to full-resolution pixels (x, y, 1).

        Grid coordinates are continuous: (0, 0) is the upper left corner of the first bin, (0.5, 0.5) its centre.
        """
        x0, y0 = self.origin_px
        return np.array([[self.bin_px, 0, x0], [0, self.bin_px, y0], [0, 0, 1]], dtype=np.float64)

    def to_grid(self, xy_px: ArrayLike) -> NDArray[np.float64]:
        """Grid coordinates (column, row) of full-resolution pixels (x, y): inverse of :meth:`affine`."""
        return (np.asarray(xy_px, dtype=np.float64) - np.asarray(self.origin_px)) / self.bin_px

    def coarsened(self, factor: int) -> FineGrid:
        """The grid of bins ``factor`` times as wide with the same origin; what is left at the far edges is cut.

        Raises
        ------
        ValueError
            If not a single coarse bin fits.
        """
        return FineGrid(
            self.bin_um * factor, self.n_rows // factor, self.n_cols // factor, self.origin_px, self.px_per_um
        )
