"""Segmented cells of Space Ranger 4: their counts, outlines and squares, held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.caller import by_caller
from clearspot.io.barcodes import require_unique
from clearspot.io.feature_matrix import FeatureMatrix
from clearspot.io.layout import OutsLayout
from clearspot.io.matrix import read_barcode_totals, read_matrix
from clearspot.io.outlines import Outlines, cell_numbers, read_outlines
from clearspot.io.positions import PXL_COL, PXL_ROW
from clearspot.io.reading import bad, reading
from clearspot.io.scalefactors import ScaleFactors
from clearspot.record import Message

SQUARE_UM2: Final = 4.0
"""Area of a square of 2 µm, whose counts Space Ranger adds up."""

_AREA_RATIO: Final = (0.5, 2.0)
"""Range of the outline's area over that of the squares, for the median cell. Simulated cells have 1.0; outlines in
pixels of another image differ by the square of its scale, at least fourfold for an image half as large."""

_EXPECTED_MAPPINGS: Final = "barcode mappings: cell_id (and in_nucleus) of every 2 µm square"
_SAME_RUN: Final = "use matrix, GeoJSON files and barcode mappings of the same Space Ranger run"


@dataclass(frozen=True)
class SegmentedCells:
    """Cells of a matrix, in its order.

    Parameters
    ----------
    matrix
        Counts by cell.
    outlines
        Of each cell.
    nuclei
        Of the cells that have one; ``None`` where nuclei were not written.
    n_squares
        ``(n,)``: squares of 2 µm of each cell; ``None`` without barcode mappings.
    microns_per_pixel
        Of the full-resolution image.
    microns_per_pixel_source
        ``samplesheet`` (outside the pipeline ``microns_per_pixel``) or ``scale factors``.
    n_outlines
        Cells with an outline, also those that the matrix leaves out.
    fraction_in_cells
        Share of the counts under tissue that fell into cells; ``None`` without the bins of the run.
    messages
        What was odd.
    """

    matrix: FeatureMatrix
    outlines: Outlines
    nuclei: Outlines | None
    n_squares: NDArray[np.int64] | None
    microns_per_pixel: float
    microns_per_pixel_source: str
    n_outlines: int
    fraction_in_cells: float | None
    messages: tuple[Message, ...]

    @property
    def area_um2(self) -> NDArray[np.float64]:
        """``(n,)``: area of each cell's outline."""
        return self.outlines.areas() * self.microns_per_pixel**2

    @property
    def diameter_px(self) -> float:
        """Diameter of a disk with the median cell's area: what scanpy and squidpy draw as a spot."""
        return float(2.0 * np.sqrt(np.median(self.outlines.areas()) / np.pi))

    def positions(self) -> pd.DataFrame:
        """Centroids in the form of :func:`clearspot.io.positions.read_positions`, without places on a lattice."""
        xy = self.outlines.centroids()
        columns = {keys.IN_TISSUE: np.ones(len(xy), dtype=bool), PXL_ROW: xy[:, 1], PXL_COL: xy[:, 0]}
        return pd.DataFrame(columns, index=self.matrix.barcodes)

    def obs(self) -> pd.DataFrame:
        """What is known of each cell: area, nucleus and squares."""
        table = pd.DataFrame({keys.CELL_AREA: self.area_um2}, index=self.matrix.barcodes)
        if self.nuclei is not None:
            rows = self.nuclei.rows_of(self.outlines.ids)
            area = np.append(self.nuclei.areas() * self.microns_per_pixel**2, np.nan)[rows]
            table[keys.HAS_NUCLEUS] = rows >= 0
            table[keys.NUCLEUS_AREA] = area
        if self.n_squares is not None:
            table[keys.N_SQUARES] = self.n_squares
        return table

    def outlines_of(self, kept: NDArray[np.bool_]) -> dict[str, dict[str, Any]]:
        """Outlines of some cells and of their nuclei, for ``uns``."""
        cells = self.outlines.take(np.flatnonzero(kept))
        found = {"cells": cells.as_dict()}
        if self.nuclei is not None:
            rows = self.nuclei.rows_of(cells.ids)
            found["nuclei"] = self.nuclei.take(rows[rows >= 0]).as_dict()
        return found


def read_segmented_cells(
    layout: OutsLayout, factors: ScaleFactors, sample: str, override: float | None = None
) -> SegmentedCells:
    """Read the cells of a layout whose unit is the cell.

    Parameters
    ----------
    layout
        With ``cells``.
    factors
        The sample's scale factors.
    sample
        Sample name for messages.
    override
        ``microns_per_pixel`` as the user states it.

    Raises
    ------
    BadInputError
        A file cannot be used, a cell of the matrix has no outline or no square, the outlines are of another image, or
        the µm per pixel are unknown.
    """
    files = layout.cells
    if files is None:
        raise ValueError("the layout is not of cells")
    um_per_px, source = _scale(layout, factors, sample, override)
    matrix = read_matrix(layout.matrix, sample)
    require_unique(matrix.barcodes, layout.matrix, sample)
    ids = _numbers(matrix.barcodes, layout.matrix, sample)
    every = read_outlines(files.outlines, sample)
    rows = every.rows_of(ids)
    _require(rows >= 0, matrix.barcodes, files.outlines, sample, "outline")
    outlines = every.take(rows)
    nuclei = None if files.nuclei is None else read_outlines(files.nuclei, sample)
    if nuclei is not None and not (nuclei.rows_of(ids) >= 0).any():
        found = "no nucleus for any cell of the matrix"
        raise bad(files.nuclei or files.outlines, sample, found, "nuclei with the cell_id of their cells", _SAME_RUN)
    n_squares = None if files.mappings is None else _squares(files.mappings, sample, matrix.barcodes, ids)
    messages = []
    if n_squares is None:
        messages.append(
            Message("info", "barcode_mappings.parquet is missing, so the squares of each cell were not counted.")
        )
    else:
        _require_same_image(outlines, n_squares, um_per_px, files.outlines, sample)
    if nuclei is None:
        messages.append(Message("info", "nucleus_segmentations.geojson is missing, so nuclei were not measured."))
    fraction = None
    if files.bins_matrix is not None:
        total = int(read_barcode_totals(files.bins_matrix, sample).totals.sum())
        in_cells = int(matrix.totals().totals.sum())
        # tissue of bins and cells is cut differently at the edge: a share above 1 by so little is 1
        fraction = min(1.0, in_cells / total) if total else None
    else:
        messages.append(Message("info", "There are no bins, so the share of counts in cells is unknown."))
    return SegmentedCells(matrix, outlines, nuclei, n_squares, um_per_px, source, len(every), fraction, tuple(messages))


def _scale(layout: OutsLayout, factors: ScaleFactors, sample: str, override: float | None) -> tuple[float, str]:
    if override is not None:
        return override, by_caller("microns_per_pixel", "microns_per_pixel", "samplesheet")
    if factors.microns_per_pixel is None:
        path = layout.scalefactors or layout.spatial_dir / "scalefactors_json.json"
        mend = f"set microns_per_pixel{by_caller('', '', ' in the samplesheet')}"
        raise bad(path, sample, "no microns_per_pixel", "microns_per_pixel, which is needed to measure the cells", mend)
    return factors.microns_per_pixel, "scale factors"


def _numbers(barcodes: pd.Index, path: Path, sample: str) -> NDArray[np.int64]:
    ids = cell_numbers(barcodes)
    other = barcodes[ids < 0]
    if len(other):
        found = f"{len(other)} names that are not cell names, for example {', '.join(map(str, other[:3]))}"
        raise bad(path, sample, found, "cells named as in cellid_000000001-1", _SAME_RUN)
    return ids


def _require(there: NDArray[np.bool_], names: pd.Index, path: Path, sample: str, what: str) -> None:
    lost = names[~there]
    if len(lost):
        found = f"no {what} for {len(lost)} of the matrix's {len(names)} cells, for example {', '.join(lost[:3])}"
        raise bad(
            path,
            sample,
            found,
            f"an {what} for every cell of the matrix"
            if what[0] in "aeiou"
            else f"a {what} for every cell of the matrix",
            _SAME_RUN,
        )


def _squares(path: Path, sample: str, names: pd.Index, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Squares of each cell."""
    with reading(path, sample, _EXPECTED_MAPPINGS):
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        column = next((one for one in pq.read_schema(path).names if one.lower() == "cell_id"), None)
        if column is None:
            raise bad(path, sample, "no column cell_id", _EXPECTED_MAPPINGS)
        # counted by Arrow: a slide has eleven million squares, and as many Python strings would take a gigabyte
        counted = pc.value_counts(pq.read_table(path, columns=[column])[column].drop_null())
        values = pd.Index(counted.field("values").to_pylist(), dtype=object)
        number = counted.field("counts").to_numpy(zero_copy_only=False)
    of_cell = pd.Series(number, index=cell_numbers(values))
    of_cell = of_cell[of_cell.index > 0]  # 0: squares in no cell
    n_squares = of_cell.reindex(ids).fillna(0).to_numpy().astype(np.int64)
    _require(n_squares > 0, names, path, sample, "square")
    return n_squares


def _require_same_image(
    outlines: Outlines, n_squares: NDArray[np.int64], um_per_px: float, path: Path, sample: str
) -> None:
    ratio = float(np.median(outlines.areas() * um_per_px**2 / (SQUARE_UM2 * n_squares)))
    if not _AREA_RATIO[0] <= ratio <= _AREA_RATIO[1]:
        raise bad(
            path,
            sample,
            f"outlines of {ratio:.2g} times the area of their cells' squares ({um_per_px:.4g} µm per pixel)",
            "outlines in pixels of the full-resolution image",
            f"{_SAME_RUN}, and correct microns_per_pixel if it is set",
        )
