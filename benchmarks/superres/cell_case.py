"""Case d: single Xenium cells on their H&E image, with every k-th cell hidden.

The one crop there is has 200 cells, scattered over a tissue core of some 2.5 mm: too few for a fine map as truth. So
each cell is a small spot, and what is asked is whether image and neighbours tell a hidden cell's expression.
"""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
from cases import Case, dispersed_genes, every_kth, section
from scipy import sparse

from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.geometry.grid import FineGrid

UM_PER_PX = 2.0
"""Judged by eye: nuclei and red blood cells, some 7 um wide, are 3 to 4 pixels. The file's origin does not say."""

CELL_UM, BIN_UM = 10.0, 10.0


def cell_case(path: Path, every: int, *, n_genes: int = 100) -> Case:
    """Cells with the image beside their file; genes are chosen on the visible cells."""
    cells = ad.read_h5ad(path)
    counts, xy = sparse.csr_array(cells.X), np.asarray(cells.obsm["spatial"], dtype=np.float64)
    spacing = float(np.sqrt(np.prod(np.ptp(xy, axis=0)) / len(xy)))
    hidden = every_kth(xy, spacing, every)
    chosen = dispersed_genes(counts[~hidden], n_genes)
    grid = FineGrid.covering(xy, 1 / UM_PER_PX, BIN_UM, 2 * CELL_UM)
    return Case(
        name=f"cells-{path.stem}-hide{every}",
        adata=section(counts[~hidden][:, chosen], cells.var_names[chosen], xy[~hidden], UM_PER_PX),
        grid=grid,
        operator=disk_operator(xy[~hidden], grid, CELL_UM),
        pitch_um=spacing * UM_PER_PX,
        diameter_um=CELL_UM,
        image=path.with_suffix(".jpg"),
        hidden_operator=disk_operator(xy[hidden], grid, CELL_UM),
        hidden_counts=counts[hidden][:, chosen].toarray(),
    )
