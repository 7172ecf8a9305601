"""Reference cells for pretraining, made up."""

from dataclasses import replace

import numpy as np
import pandas as pd
import scipy.sparse as sp

from clearspot.diffst.data.reference import Reference, from_cells
from clearspot.diffst.geometry.grid import FineGrid
from clearspot.diffst.image.histology import embed
from clearspot.diffst.image.image_samples import GridImage

GENES = [f"gene{number}" for number in range(13)]


def make_reference(genes=GENES, n_cells=2400, *, image=True, seed=1) -> Reference:
    """Cells of 640 x 1000 um, of which those on the left express more; the picture is darker there."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 1, (n_cells, 2)) * [640, 1000]
    rate = np.where(xy[:, :1] < 320, 4.0, 1.0) * rng.gamma(2.0, 1.0, len(genes))
    grid = FineGrid.covering(xy, 1.0, 20.0, 20.0)
    reference = from_cells(xy, np.full(n_cells, 60.0), sp.csr_array(rng.poisson(rate)), pd.Index(genes), grid)
    if not image:
        return reference
    picture = rng.integers(170, 240, (1040, 680, 3)).astype(np.uint8)
    picture[:, :340] -= 80
    shifted = FineGrid(grid.bin_um, grid.n_rows, grid.n_cols, (0.0, 0.0), 1.0)
    return replace(reference, histology=embed(GridImage(picture, (1.0, 1.0), shifted), grid), image_um_per_px=1.0)
