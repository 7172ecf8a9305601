"""How strongly each cell runs each expression program."""

from __future__ import annotations

from typing import Final

import numpy as np

from clearspot.simulate.cells import CELL_TYPES, TYPE_NAMES, Cells
from clearspot.simulate.fields import smooth_field
from clearspot.simulate.genes import PROGRAMS
from clearspot.simulate.tissue import DOMAINS, GRID_UM, Tissue

# RNA of a program at full activity, relative to the RNA of the cell's type program.
_DOMAIN_SHARE: Final = 0.12
_GRADIENT_SHARE: Final = 0.15
_FIELD_SHARE: Final = 0.15
_MITOCHONDRIAL_SHARE: Final = 0.10


def cell_programs(rng: np.random.Generator, tissue: Tissue, cells: Cells) -> np.ndarray:
    """RNA of each cell by program.

    Parameters
    ----------
    rng
        Source of all randomness.
    tissue, cells
        The phantom.

    Returns
    -------
    float32, cells x programs: relative RNA amounts (a fibroblast's type program is about 1). Times the panel's
    loadings it is each cell's expected expression.
    """
    n_cells = len(cells)
    rows, cols = (cells.y_um / GRID_UM).astype(int), (cells.x_um / GRID_UM).astype(int)

    def field(length_um: float) -> np.ndarray:
        return smooth_field(rng, tissue.shape, length_um / GRID_UM)[rows, cols]

    def jitter(sd: float) -> np.ndarray:
        return np.exp(rng.normal(0, sd, n_cells))

    size = np.array([kind.rna for kind in CELL_TYPES])[cells.kind] * jitter(0.3)
    activity = np.zeros((n_cells, len(PROGRAMS)))
    activity[np.arange(n_cells), cells.kind] = 1.0
    nucleated = cells.kind != TYPE_NAMES.index("erythrocyte")

    own_domain = len(TYPE_NAMES) + cells.domain.astype(int) - 1
    activity[np.arange(n_cells), own_domain] = _DOMAIN_SHARE * jitter(0.25)

    epithelial = np.isin(cells.kind, [TYPE_NAMES.index("enterocyte"), TYPE_NAMES.index("goblet")])
    depth = tissue.depth_um[rows, cols]
    towards_base = (depth - depth.min()) / np.ptp(depth)
    activity[:, PROGRAMS.index("gradient_crypt")] = _GRADIENT_SHARE * epithelial * _step(towards_base, 0.28, 0.05)
    across = cells.x_um / (tissue.shape[1] * GRID_UM)
    activity[:, PROGRAMS.index("gradient_lateral")] = 0.5 * _GRADIENT_SHARE * across

    activity[:, PROGRAMS.index("hypoxia")] = _FIELD_SHARE * _step(field(160), 0.9, 0.2)
    activity[:, PROGRAMS.index("inflammation")] = _FIELD_SHARE * _step(field(110), 1.1, 0.15) * jitter(0.3)
    in_cycle = rng.random(n_cells) < np.where(cells.kind == TYPE_NAMES.index("gc_b_cell"), 0.45, 0.06)
    activity[:, PROGRAMS.index("cell_cycle")] = 0.20 * in_cycle
    activity[:, PROGRAMS.index("stress")] = 0.03 * jitter(0.9)
    activity[:, PROGRAMS.index("mitochondrial")] = _MITOCHONDRIAL_SHARE * np.exp(0.25 * field(250)) * jitter(0.25)
    activity[:, len(TYPE_NAMES) + len(DOMAINS) :] *= nucleated[:, None]
    return (size[:, None] * activity).astype(np.float32)


def _step(value: np.ndarray, middle: float, width: float) -> np.ndarray:
    """Rise smoothly from 0 to 1 around ``middle``."""
    return 1 / (1 + np.exp(-np.clip((value - middle) / width, -30, 30)))
