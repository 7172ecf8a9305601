"""Case b: Xenium cells as truth on fine bins, and pseudo-Visium spots that capture a part of their molecules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anndata as ad
import numpy as np
from cases import Case, dispersed_genes, section
from scipy import sparse
from scipy.spatial import cKDTree

from clearspot.diffst.data.tissue import tissue_from_spots
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid

PITCH_UM, DIAMETER_UM = 100.0, 55.0
CELL_TO_NUCLEUS = 3.0
"""Area of a cell over that of its nucleus, which is what the three crops state (``xenium_pair`` states both)."""

CELL_REACH_UM = 25.0
"""Bins are tissue up to this distance from a cell."""


def xenium_case(
    path: Path, name: str, factor: int, *, n_genes: int = 100, seed: int = 0, genes: Sequence[str] | None = None
) -> Case:
    """A crop, in micrometres. Each molecule lies at a random place in its cell; both resolutions see the same ones."""
    cells = ad.read_h5ad(path)
    xy = np.asarray(cells.obsm["spatial"], dtype=np.float64)  # micrometres in these files
    area = cells.obs["cell_area_um2"] if "cell_area_um2" in cells.obs else cells.obs["area_um2"] * CELL_TO_NUCLEUS
    molecules, gene = _molecules(np.random.default_rng(seed), xy, area.to_numpy(), sparse.coo_array(cells.X))
    spots = _hexagonal(xy.min(axis=0) + 50, xy.max(axis=0) - 50)
    distance, spot = cKDTree(spots).query(molecules)
    inside = distance <= DIAMETER_UM / 2
    counts = _counted(spot[inside], gene[inside], (len(spots), cells.n_vars))
    seen = counts.sum(axis=1) > 0
    counts, spots = counts[seen], spots[seen]

    grid = FineGrid.covering(molecules, 1.0, PITCH_UM / factor, PITCH_UM / factor)
    col, row = np.floor(grid.to_grid(molecules)).astype(int).T
    truth = _counted(row * grid.n_cols + col, gene, (grid.n_bins, cells.n_vars))
    chosen = dispersed_genes(counts, n_genes) if genes is None else cells.var_names.get_indexer(genes)
    return Case(
        name=f"xenium-{name}-{factor}x",
        adata=section(counts[:, chosen], cells.var_names[chosen], spots, 1.0),
        grid=grid,
        operator=disk_operator(spots, grid, DIAMETER_UM),
        pitch_um=PITCH_UM,
        diameter_um=DIAMETER_UM,
        truth=truth[:, chosen].toarray().astype(np.float32),
        truth_is_counts=True,
        tissue=tissue_from_spots(xy, grid, CELL_REACH_UM),
    )


def _molecules(
    rng: np.random.Generator, xy: np.ndarray, area: np.ndarray, counts: sparse.coo_array
) -> tuple[np.ndarray, np.ndarray]:
    """Places and genes of all molecules, each anywhere in the disk that stands for its cell."""
    cell, gene = (np.repeat(index, counts.data.astype(int)) for index in (counts.row, counts.col))
    radius = np.sqrt(area[cell] / np.pi * rng.random(len(cell)))
    angle = rng.uniform(0, 2 * np.pi, len(cell))
    return xy[cell] + radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), gene


def _counted(place: np.ndarray, gene: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    ones = np.ones(len(place), dtype=np.int32)
    return sparse.csr_array(sparse.coo_array((ones, (place, gene)), shape=shape))


def _hexagonal(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Centres of a Visium lattice within a rectangle."""
    rows = np.arange(low[1], high[1], PITCH_UM * np.sqrt(3) / 2)
    columns = [np.arange(low[0] + (number % 2) * PITCH_UM / 2, high[0], PITCH_UM) for number in range(len(rows))]
    return np.concatenate([np.column_stack([x, np.full_like(x, y)]) for x, y in zip(columns, rows, strict=True)])
