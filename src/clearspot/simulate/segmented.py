"""Segmented cells of a phantom as Space Ranger 4 writes them: ``segmented_outputs`` and ``barcode_mappings.parquet``.

The layout follows 10x Genomics' page "Space Ranger Segmented Outputs" and what spatialdata-io 0.7 and Seurat 5.4 read:

- ``segmented_outputs/{filtered,raw}_feature_cell_matrix.h5``: counts of cells named ``cellid_000000001-1``;
- ``segmented_outputs/{cell,nucleus}_segmentations.geojson``: polygons in full-resolution pixels with ``cell_id``;
- ``segmented_outputs/spatial``: reduced images and scale factors, no positions;
- ``barcode_mappings.parquet``: for every square of 2 µm its bins of 8 and 16 µm and its cell, if any.

The segmentation is the truth: a cell has the squares that its body covers. Erythrocytes are cells without a nucleus.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import ndimage, sparse

from clearspot.io.atomic import atomic_path
from clearspot.simulate.arrays import SpotArray
from clearspot.simulate.cells import CELL_TYPES
from clearspot.simulate.histology import Frame
from clearspot.simulate.measure import Level
from clearspot.simulate.phantom import Phantom
from clearspot.simulate.tenx import Matrix, Origin, write_h5
from clearspot.simulate.tissue import GRID_UM

_CORNERS: Final = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


def write_segmented(outs: Path, phantom: Phantom, squares: Level, frame: Frame, origin: Origin) -> None:
    """Write counts, outlines and barcode mappings of the phantom's cells; ``spatial`` is for the caller to write.

    Parameters
    ----------
    outs
        The ``outs`` folder.
    phantom
        With its cells.
    squares
        Counts of the squares of 2 µm.
    frame
        The picture's place.
    origin
        What the matrix says of its making.
    """
    folder = outs / "segmented_outputs"
    folder.mkdir(parents=True, exist_ok=True)
    owner = _whole_bodies(phantom.cells.owner)
    kept = np.unique(owner[owner >= 0])
    number = np.full(len(phantom.cells) + 1, 0, dtype=np.int64)
    number[kept] = np.arange(1, len(kept) + 1)
    label = number[owner]
    nucleus = label * _in_nucleus(phantom, owner)
    of_square, in_nucleus = (_of_squares(grid, squares.array) for grid in (label, nucleus))
    names = np.array([f"cellid_{one:09d}-1" for one in range(1, len(kept) + 1)])

    order = np.argsort(squares.array.barcodes)  # raw matrices are sorted by barcode
    inside = np.flatnonzero(of_square[order] > 0)
    gather = sparse.csr_array(
        (np.ones(len(inside), dtype=np.int32), (of_square[order][inside] - 1, inside)), shape=(len(kept), len(order))
    )
    counts = Matrix(sparse.csr_array(gather @ squares.raw.counts), names, squares.raw.features)
    write_h5(counts, folder / "raw_feature_cell_matrix.h5", origin)
    tissue = np.asarray(gather @ squares.raw_in_tissue.astype(np.int32)) > 0
    seen = np.flatnonzero(tissue & (np.diff(counts.counts.indptr) > 0))
    write_h5(counts.take(seen), folder / "filtered_feature_cell_matrix.h5", origin)
    _write_outlines(label, frame, folder / "cell_segmentations.geojson")
    _write_outlines(nucleus, frame, folder / "nucleus_segmentations.geojson")

    cell = np.append([None], names).astype(object)[of_square]
    columns = {
        "square_002um": squares.array.barcodes,
        "square_008um": _coarser(squares.array, 8),
        "square_016um": _coarser(squares.array, 16),
        "cell_id": cell,
        "in_nucleus": in_nucleus > 0,
        "in_cell": of_square > 0,
    }
    with atomic_path(outs / "barcode_mappings.parquet") as partial:
        pd.DataFrame(columns).to_parquet(partial, index=False)


def _whole_bodies(owner: NDArray[np.int32]) -> NDArray[np.int32]:
    """Cells by bin, each without the parts that touch the rest at no side: a polygon has one outer ring."""
    found = owner.copy()
    for index, window in enumerate(ndimage.find_objects(owner + 1)):
        if window is None:
            continue
        body = owner[window] == index
        parts, n_parts = ndimage.label(body)
        if n_parts > 1:
            largest = 1 + int(np.argmax(np.bincount(parts[parts > 0])[1:]))
            view = found[window]
            view[body & (parts != largest)] = -1
    return found


def _in_nucleus(phantom: Phantom, owner: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Bins of a cell whose centre lies in its nucleus; of a small nucleus at least the bin of the cell's centre."""
    cells = phantom.cells
    radius = np.array([kind.nucleus_um for kind in CELL_TYPES])[cells.kind]
    row, col = np.nonzero(owner >= 0)
    cell = owner[row, col]
    x, y = (col + 0.5) * GRID_UM - cells.x_um[cell], (row + 0.5) * GRID_UM - cells.y_um[cell]
    near = np.maximum(abs(x), abs(y)) <= GRID_UM / 2
    found = np.zeros(owner.shape, dtype=bool)
    found[row, col] = (radius[cell] > 0) & ((np.hypot(x, y) <= radius[cell]) | near)
    return found


def _of_squares(grid: NDArray[np.int64], squares: SpotArray) -> NDArray[np.int64]:
    """Values of the phantom's bins at the squares of 2 µm, in the order of the array."""
    row = np.floor(squares.y_um / GRID_UM).astype(int)
    col = np.floor(squares.x_um / GRID_UM).astype(int)
    return grid[row, col]


def _coarser(squares: SpotArray, um: int) -> NDArray[np.str_]:
    factor = um // 2
    return np.array(
        [
            f"s_{um:03d}um_{row:05d}_{col:05d}-1"
            for row, col in zip(squares.row // factor, squares.col // factor, strict=True)
        ]
    )


def _write_outlines(label: NDArray[np.int64], frame: Frame, path: Path) -> None:
    """Write the outline of every label's squares, corner by corner, as a polygon of full-resolution pixels."""
    features: list[dict[str, Any]] = []
    for index, window in enumerate(ndimage.find_objects(label), start=1):
        if window is None:
            continue
        place = np.argwhere(label[window] == index)[:, ::-1] + [window[1].start, window[0].start]
        corners = (place[:, None, :] + _CORNERS) * GRID_UM
        shape = shapely.union_all(shapely.polygons(corners))
        if shape.geom_type != "Polygon":  # a nucleus cut in two by its neighbour
            shape = max(shape.geoms, key=lambda part: part.area)
        ring = np.array(shapely.remove_repeated_points(shape.exterior.simplify(0)).coords)
        pixels = frame.to_pixels(ring[:, 0], ring[:, 1])
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [np.round(pixels, 3).tolist()]},
                "properties": {"cell_id": index},
            }
        )
    with atomic_path(path) as partial:
        partial.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
