import numpy as np
from scipy.spatial import cKDTree

from clearspot.simulate.cells import CELL_TYPES, TYPE_NAMES
from clearspot.simulate.tissue import GRID_UM, LUMEN, code


def test_cells_keep_their_distance(phantom):
    cells = phantom.cells
    nearest = cKDTree(np.column_stack([cells.x_um, cells.y_um])).query(np.column_stack([cells.x_um, cells.y_um]), k=2)[
        0
    ][:, 1]
    assert nearest.min() > 4.5
    assert nearest[cells.region == code("muscle")].min() > 7.0


def test_density_differs_by_domain(phantom):
    area = np.bincount(phantom.tissue.region.ravel(), minlength=20) * (GRID_UM / 1000) ** 2
    density = np.bincount(phantom.cells.region, minlength=20) / np.maximum(area, 1e-9)
    assert 10_000 < density[code("follicle")] < 13_000
    assert 1_600 < density[code("submucosa")] < 2_400
    assert density[LUMEN] == 0


def test_types_fit_their_domain(phantom):
    kind = phantom.cells.kind[phantom.cells.domain == code("muscle")]
    assert (kind == TYPE_NAMES.index("myocyte")).mean() > 0.8
    kind = phantom.cells.kind[phantom.cells.domain == code("epithelium")]
    assert np.isin(kind, [TYPE_NAMES.index("enterocyte"), TYPE_NAMES.index("goblet")]).mean() > 0.9


def test_every_cell_owns_bins_within_reach(phantom):
    cells = phantom.cells
    rows, cols = np.nonzero(cells.owner >= 0)
    owner = cells.owner[rows, cols]
    assert len(np.unique(owner)) == len(cells)
    distance = np.hypot((rows + 0.5) * GRID_UM - cells.y_um[owner], (cols + 0.5) * GRID_UM - cells.x_um[owner])
    reach = np.array([kind.reach_um for kind in CELL_TYPES])[cells.kind[owner]]
    assert (distance < reach + 2 * GRID_UM).all()


def test_no_cell_body_in_a_lumen(phantom):
    assert (phantom.cells.owner[phantom.tissue.region == LUMEN] == -1).all()
