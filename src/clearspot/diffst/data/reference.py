"""High-resolution expression of a reference sample (Visium HD, Xenium), rasterised into a grid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

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
from clearspot.contract.sections import bad_section, require_positions
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.io.feature_table import SYMBOLS
from clearspot.io.matrix_h5 import read_h5
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.reading import bad, reading
from clearspot.io.scale import fit_lattice

if TYPE_CHECKING:
    from clearspot.diffst.image.encoder import Encoder
    from clearspot.diffst.image.histology import Histology

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

_HD_BARCODE: Final = re.compile(r"s_\d+um_(\d+)_(\d+)(?:-\d+)?")
_ARRAY: Final = "array_row and array_col in obs, or barcodes such as s_008um_00012_00345-1"


@dataclass(frozen=True)
class Reference:
    """Counts on a fine grid, and the image that belongs to them.

    Parameters
    ----------
    counts
        CSR, float32, n_bins x genes. Whole numbers; fractions where a cell was split by area.
    genes
        Names of the genes.
    grid
        The grid, in pixels of its own: of the morphology image for Xenium; measured bins (row and column of the slide's
        array) for Visium HD.
    tissue
        rows x columns: bins where something could be measured.
    measured_um
        Side of the bins that were measured, of which those of the grid are whole multiples; 0 for points and cells.
    to_image
        3 x 3: from the grid's pixels (x, y, 1) to full-resolution pixels of the image; None: not known, or the same.
    histology
        Features and colours of the image on the grid; None without an image.
    image_um_per_px
        Micrometres a pixel as the image was read.
    """

    counts: sparse.csr_array
    genes: pd.Index
    grid: FineGrid
    tissue: NDArray[np.bool_]
    measured_um: float = 0.0
    to_image: NDArray[np.float64] | None = None
    histology: Histology | None = None
    image_um_per_px: float | None = None

    def with_image(
        self,
        image: Path | str | NDArray[np.uint8],
        alignment: Path | str | NDArray[np.float64] | None = None,
        *,
        encoder: Encoder | None = None,
        sample: str = "reference",
    ) -> Reference:
        """The same reference with features and colours of its image.

        Parameters
        ----------
        image
            Full-resolution histology image: a file, or its pixels (height x width x 3).
        alignment
            Xenium: image alignment file of Xenium Explorer, or its 3 x 3 matrix from pixels of the image to those of
            the morphology image. None: the image lies on the morphology image pixel by pixel.
        encoder
            Adds its features; the sections that learn from the reference need the same.
        sample
            Name, for messages.

        Raises
        ------
        BadInputError
            If the image cannot be read, is coarser than half a bin or leaves out most of the tissue, or if the
            alignment is none or does not belong here.
        ValueError
            If rows and columns of the grid are not multiples of 8.
        """
        from clearspot.diffst.data.reference_image import add_image

        return add_image(self, image, alignment, encoder=encoder, sample=sample)


def from_visium_hd(adata: ad.AnnData, bin_um: float, *, hd_bin_um: float, sample: str = "reference") -> Reference:
    """Sum the bins of a Visium HD section into wider ones, along the rows and columns of the slide's array.

    The grid lies in the array, not in the image, against which slides are mirrored and turned: so each bin is a sum of
    whole measured ones, and its counts stay whole. Where the array lies in the image is fitted by least squares.

    Parameters
    ----------
    adata
        A section as ingest makes it: counts in ``layers['counts']``, ``obsm['spatial']``; row and column in the array
        as ``array_row`` and ``array_col`` or in the barcodes.
    bin_um
        Bins wanted; they become the nearest multiple of the measured ones, and at least those.
    hd_bin_um
        Edge of the section's bins.
    sample
        Name of the section, for messages.

    Raises
    ------
    BadInputError
        If its counts or positions are unusable, or positions lie more than a bin from where the array has them.
    """
    xy = require_positions(adata, sample)
    row, col = _array_places(adata, sample)
    to_image = _array_to_pixels(row, col, xy, sample)
    stated = adata.uns.get(keys.UNS, {}).get(keys.IMAGE, {})
    smaller = float(stated.get(keys.PIXELS_PER_FULLRES_PIXEL, 1.0))
    times = max(1, ceil(bin_um / hd_bin_um - 0.5))  # of two that are as near, the finer
    top, left = int(row.min()), int(col.min())
    n_rows, n_cols = (-(-(int(place.max()) - int(place.min()) + 1) // (8 * times)) * 8 for place in (row, col))
    grid = FineGrid(times * hd_bin_um, n_rows, n_cols, (float(left), float(top)), 1 / hd_bin_um)
    bins = (row - top) // times * n_cols + (col - left) // times
    ones = np.ones(len(bins), dtype=np.float32)
    place = sparse.csr_array((ones, (np.arange(len(bins)), bins)), shape=(len(bins), grid.n_bins))
    fine = _laid(place, sparse.csr_array(read_counts(adata, sample)))
    tissue = _closed(place.sum(axis=0) >= 0.5 * times**2, grid)
    to_image = np.diag([smaller, smaller, 1.0]) @ to_image
    return Reference(fine, adata.var_names, grid, tissue, measured_um=hd_bin_um, to_image=to_image)


def _array_places(adata: ad.AnnData, sample: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each bin in the slide's array."""
    if {keys.ARRAY_ROW, keys.ARRAY_COL} <= set(adata.obs.columns):
        places = adata.obs[[keys.ARRAY_ROW, keys.ARRAY_COL]].apply(pd.to_numeric, errors="coerce")
    else:
        places = adata.obs_names.to_series().astype(str).str.extract(_HD_BARCODE).astype(float)
    found = places.to_numpy(dtype=np.float64)
    if not np.isfinite(found).all():
        wrong = adata.obs_names[int(np.argmin(np.isfinite(found).all(axis=1)))]
        mend = "Provide the section as written by Space Ranger or by the ingest step of clearspot."
        raise bad_section(sample, f"no row and column for bin {wrong}", _ARRAY, mend)
    row, col = np.rint(found).astype(np.int64).T
    return row, col


def _array_to_pixels(
    row: NDArray[np.int64], col: NDArray[np.int64], xy: NDArray[np.float64], sample: str
) -> NDArray[np.float64]:
    """3 x 3 from places in the array (column, row, 1), at which bin (0, 0) reaches from 0 to 1, to pixels (x, y, 1)."""
    table = pd.DataFrame({keys.ARRAY_ROW: row, keys.ARRAY_COL: col, PXL_COL: xy[:, 0], PXL_ROW: xy[:, 1]})
    lattice = fit_lattice(table)
    mend = "Provide the original positions and array indices from Space Ranger."
    if lattice is None:
        raise bad_section(sample, "bins in a single line", "bins that cover an area", mend)
    per_row, per_col = lattice.matrix.T
    off = np.linalg.norm(np.outer(row, per_row) + np.outer(col, per_col) + lattice.offset - xy, axis=1)
    side = float(np.sqrt(abs(np.linalg.det(lattice.matrix))))
    if not off.max() <= side:
        found = f"bins up to {off.max() / max(side, 1e-9):.2g} bins away from their array row and column"
        raise bad_section(sample, found, "positions that match the array to within a bin", mend)
    corner = lattice.offset - (per_row + per_col) / 2
    return np.vstack([np.column_stack([per_col, per_row, corner]), [0, 0, 1]])


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
        raise bad(path, sample, found, "every cell of the matrix", "provide both files of the same Xenium run")
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
            raise bad(path, sample, "no transcript of sufficient quality", expected)
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
