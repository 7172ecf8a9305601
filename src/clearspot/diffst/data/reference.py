"""Fine truth from a reference sample (Visium HD, Xenium), laid onto a grid by area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import anndata as ad
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from anndata.utils import make_index_unique
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, sparse

from clearspot import keys
from clearspot.contract.counts import read_counts
from clearspot.contract.sections import require_positions
from clearspot.diffst.geometry.capture_operator import disk_operator, square_operator
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.io.feature_table import SYMBOLS
from clearspot.io.matrix_h5 import read_h5
from clearspot.io.reading import bad, reading

XENIUM_UM_PER_PX: Final = 0.2125
"""Pixel of Xenium's morphology image, which its positions (in micrometres) refer to."""

_MIN_QUALITY: Final = 20.0
"""Xenium's own threshold of the quality value (Phred) of transcripts that enter its matrix."""

_CONTROLS: Final = ("NegControl", "BLANK", "UnassignedCodeword", "DeprecatedCodeword", "antisense_", "Intergenic")
_CLOSE_UM: Final = 40.0
_MATRIX: Final = "cell_feature_matrix.h5"
_CELLS: Final = "cells.parquet"
_TRANSCRIPTS: Final = "transcripts.parquet"

XENIUM_FILES: Final = (_TRANSCRIPTS, _MATRIX, _CELLS, "experiment.xenium")
"""A folder with any of these is Xenium's."""


@dataclass(frozen=True)
class Reference:
    """Counts on a fine grid.

    Parameters
    ----------
    counts
        CSR, float32, n_bins x genes. Fractions where a cell or bin was split by area.
    genes
        Names of the genes.
    grid
        The grid.
    tissue
        rows x columns: bins where something could be measured.
    """

    counts: sparse.csr_array
    genes: pd.Index
    grid: FineGrid
    tissue: NDArray[np.bool_]


def from_visium_hd(
    adata: ad.AnnData, bin_um: float, *, hd_bin_um: float, microns_per_pixel: float, sample: str = "reference"
) -> Reference:
    """Lay the bins of a Visium HD section onto a grid along the image's axes.

    A bin's counts are shared among the fine bins by the area in common; the few degrees or less by which slides are
    turned against the image are taken up by that.

    Parameters
    ----------
    adata
        A section as ingest makes it: counts in ``layers['counts']``, ``obsm['spatial']``.
    bin_um
        Bins wanted: at least as wide as the section's.
    hd_bin_um
        Edge of the section's bins.
    microns_per_pixel
        Of the full-resolution image.
    sample
        Name of the section, for messages.

    Raises
    ------
    BadInputError
        If its counts or positions are unusable.
    ValueError
        If the bins wanted are finer than those measured.
    """
    if bin_um < hd_bin_um:
        raise ValueError(f"bins of {bin_um} um are finer than those measured ({hd_bin_um} um)")
    xy = require_positions(adata, sample)
    grid = FineGrid.covering(xy, 1 / microns_per_pixel, bin_um, hd_bin_um)
    squares = square_operator(xy, hd_bin_um, grid)
    shares = sparse.csr_array(squares * np.float32((grid.bin_um / hd_bin_um) ** 2))
    fine = _laid(shares, sparse.csr_array(read_counts(adata, sample)))
    return Reference(fine, adata.var_names, grid, _closed(squares.sum(axis=0) >= 0.5, grid))


def from_cells(
    xy_px: ArrayLike, area_um2: ArrayLike, counts: sparse.sparray, genes: pd.Index, grid: FineGrid
) -> Reference:
    """Lay cells onto a grid, each as a disk of its area over which its counts are even.

    Parameters
    ----------
    xy_px
        (n, 2): centroids in full-resolution pixels (x, y).
    area_um2
        (n,): areas; of cells without one, the median.
    counts
        n x genes.
    genes
        Names.
    grid
        The grid.
    """
    area = np.asarray(area_um2, dtype=np.float64)
    known = np.isfinite(area) & (area > 0)
    area = np.where(known, area, np.median(area[known]) if known.any() else 50.0)
    disks = disk_operator(xy_px, grid, 2 * np.sqrt(area / np.pi))
    shares = sparse.csr_array(sparse.diags_array((grid.bin_um**2 / area).astype(np.float32)) @ disks)
    return Reference(_laid(shares, counts), pd.Index(genes), grid, _closed(disks.sum(axis=0) > 0, grid))


def read_xenium(
    folder: Path, sample: str, bin_um: float, *, source: Literal["auto", "cells", "transcripts"] = "auto"
) -> Reference:
    """Read a Xenium output folder.

    Parameters
    ----------
    folder
        Holds ``transcripts.parquet``, or ``cell_feature_matrix.h5`` and ``cells.parquet``.
    sample
        Sample name, for messages.
    bin_um
        Bins wanted.
    source
        ``transcripts``: every transcript of quality 20 or more falls into its bin. ``cells``: cells as disks of their
        area. ``auto``: transcripts, if they are there.

    Returns
    -------
    Counts on a grid in the pixels of the morphology image.

    Raises
    ------
    BadInputError
        A file is absent, broken, or lacks a column.
    """
    if source == "cells" or (source == "auto" and not (folder / _TRANSCRIPTS).exists()):
        return _read_cells(folder, sample, bin_um)
    return _read_transcripts(folder / _TRANSCRIPTS, sample, bin_um)


def _read_cells(folder: Path, sample: str, bin_um: float) -> Reference:
    expected = "Xenium's table of cells, with cell_id, x_centroid, y_centroid and cell_area"
    matrix = read_h5(folder / _MATRIX, sample)
    path = folder / _CELLS
    with reading(path, sample, expected):
        read = pq.read_table(path, columns=["cell_id", "x_centroid", "y_centroid", "cell_area"])
        names = read["cell_id"].cast(pa.string()).to_pandas()  # bytes or whole numbers in older versions
        table = read.to_pandas()
    place = pd.Index(names).get_indexer(matrix.barcodes.astype(str))
    if (place < 0).any():
        found = f"{int((place < 0).sum())} of {len(place)} cells of {_MATRIX} are not listed"
        raise bad(path, sample, found, "every cell of the matrix", "give both files of one Xenium run")
    cells = table.iloc[place]
    is_gene = (matrix.features[keys.FEATURE_TYPES] == keys.GENE_EXPRESSION).to_numpy()
    xy = cells[["x_centroid", "y_centroid"]].to_numpy(dtype=np.float64) / XENIUM_UM_PER_PX
    if not len(xy) or not np.isfinite(xy).all():
        raise bad(path, sample, "no cells, or cells without a position", expected)
    grid = FineGrid.covering(xy, 1 / XENIUM_UM_PER_PX, bin_um, 2 * bin_um)
    genes = make_index_unique(pd.Index(matrix.features[SYMBOLS][is_gene].astype(str)))
    counts = sparse.csr_array(matrix.counts[:, np.flatnonzero(is_gene)])
    return from_cells(xy, cells["cell_area"].to_numpy(), counts, genes, grid)


def _read_transcripts(path: Path, sample: str, bin_um: float) -> Reference:
    """Two passes over the file, row group by row group: its extent and genes, then the counts."""
    expected = "Xenium's table of transcripts, with x_location, y_location, feature_name and qv"
    with reading(path, sample, expected):
        low, high, found = np.full(2, np.inf), np.full(2, -np.inf), set()
        for xy, names in _good_transcripts(path):
            low, high = np.minimum(low, xy.min(axis=0)), np.maximum(high, xy.max(axis=0))
            found |= set(names.unique())
        if not found:
            raise bad(path, sample, "no transcript of good quality", expected)
        grid = FineGrid.covering(np.stack([low, high]), 1 / XENIUM_UM_PER_PX, bin_um, bin_um)
        genes = pd.Index(sorted(found))
        total = sparse.csr_array((grid.n_bins, len(genes)), dtype=np.float32)
        for xy, names in _good_transcripts(path):
            col, row = np.floor(grid.to_grid(xy)).astype(np.int64).T
            ones = np.ones(len(row), dtype=np.float32)
            entries = (ones, (row * grid.n_cols + col, genes.get_indexer(names)))
            total = total + sparse.csr_array(sparse.coo_array(entries, shape=total.shape))
    return Reference(total, genes, grid, _closed(np.diff(total.indptr) > 0, grid))


def _good_transcripts(path: Path) -> Iterator[tuple[NDArray[np.float64], pd.Series]]:
    """Pixels (n, 2) and gene names of good transcripts, a row group at a time."""
    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        read = file.read_row_group(group, columns=["x_location", "y_location", "feature_name", "qv"])
        names = read["feature_name"].cast(pa.string()).to_pandas()  # bytes in older versions
        table = read.drop_columns("feature_name").to_pandas()
        good = ((table["qv"] >= _MIN_QUALITY) & ~names.str.startswith(_CONTROLS)).to_numpy()
        if good.any():
            xy = table[["x_location", "y_location"]].to_numpy(dtype=np.float64)[good] / XENIUM_UM_PER_PX
            yield xy, names[good]


def _laid(shares: sparse.csr_array, counts: sparse.sparray) -> sparse.csr_array:
    """Counts in each bin, from the share of each cell (row) that lies in it (column)."""
    return sparse.csr_array(shares.T @ counts.astype(np.float32))


def _closed(hit: NDArray[np.bool_], grid: FineGrid) -> NDArray[np.bool_]:
    """The bins, and the gaps between them up to some tens of micrometres."""
    hit = np.asarray(hit).reshape(grid.shape)
    steps = max(1, round(_CLOSE_UM / 2 / grid.bin_um))
    # Without a margin, closing would take the grid's edge for off tissue.
    padded = np.pad(hit, steps, mode="edge")
    closed = ndimage.binary_closing(padded, ndimage.generate_binary_structure(2, 2), iterations=steps)
    return np.asarray(closed[steps:-steps, steps:-steps] | hit)
