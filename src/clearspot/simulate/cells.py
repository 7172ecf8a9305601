"""Cells: where they lie (hard-core point process), what they are, which bins are theirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from clearspot.simulate.fields import smooth_field
from clearspot.simulate.tissue import BLOOD, GRID_UM, Tissue, code


@dataclass(frozen=True)
class CellType:
    """What a cell of one type looks like and how much RNA it holds.

    Parameters
    ----------
    rna
        RNA content relative to a fibroblast.
    reach_um
        Largest distance of its cytoplasm from its centre.
    nucleus_um
        Radius of a disk with the nucleus' area; 0: no nucleus.
    stretch
        Long axis over short axis of the nucleus.
    chromatin
        Haematoxylin uptake of the nucleus (optical density).
    eosin
        Eosin uptake of the cytoplasm (optical density, on top of the region's own).
    axis
        Direction of the long axis: along the layers, across them, or any.
    """

    name: str
    rna: float
    reach_um: float
    nucleus_um: float
    stretch: float
    chromatin: float
    eosin: float
    axis: str = "any"


# Lymphocytes look alike, and macrophages much like fibroblasts: the image separates most of the types, not all.
CELL_TYPES: Final = (
    CellType("enterocyte", 1.6, 11, 3.3, 1.5, 0.75, 0.20, "across"),
    CellType("goblet", 1.4, 11, 2.7, 1.2, 0.95, -0.30, "across"),
    CellType("fibroblast", 1.0, 14, 2.5, 3.0, 0.85, 0.05, "along"),
    CellType("myocyte", 1.1, 13, 2.4, 4.2, 0.80, 0.12, "along"),
    CellType("b_cell", 0.55, 6, 2.9, 1.08, 1.15, 0.02),
    CellType("t_cell", 0.5, 6, 2.8, 1.08, 1.18, 0.02),
    CellType("gc_b_cell", 0.9, 8, 4.0, 1.15, 0.72, 0.08),
    CellType("plasma_cell", 1.5, 8, 2.9, 1.1, 1.10, 0.15),
    CellType("macrophage", 1.1, 10, 3.2, 1.5, 0.75, 0.10),
    CellType("endothelial", 0.8, 9, 2.3, 3.2, 0.95, 0.05, "along"),
    CellType("glia", 0.9, 11, 3.2, 1.6, 0.70, -0.05, "along"),
    CellType("erythrocyte", 0.35, 4, 0.0, 1.0, 0.0, 0.80),
)

TYPE_NAMES: Final = tuple(kind.name for kind in CELL_TYPES)


@dataclass(frozen=True)
class _Population:
    """Cells of one region: centres per square mm, least distance between centres, shares of the types."""

    density: float
    distance_um: float
    shares: dict[str, float]


_POPULATIONS: Final = {
    code("mucosa"): _Population(
        4600, 6.5, {"fibroblast": 30, "plasma_cell": 28, "t_cell": 18, "macrophage": 14, "endothelial": 10}
    ),
    code("epithelium"): _Population(8200, 6.5, {"enterocyte": 68, "goblet": 29, "t_cell": 3}),
    code("muscularis_mucosae"): _Population(3600, 8.0, {"myocyte": 84, "fibroblast": 12, "endothelial": 4}),
    code("submucosa"): _Population(
        2000, 9.0, {"fibroblast": 66, "macrophage": 14, "endothelial": 10, "t_cell": 6, "glia": 4}
    ),
    code("follicle"): _Population(11500, 5.2, {"b_cell": 62, "t_cell": 32, "macrophage": 4, "endothelial": 2}),
    code("germinal_centre"): _Population(8200, 6.4, {"gc_b_cell": 74, "t_cell": 12, "macrophage": 14}),
    code("muscle"): _Population(2900, 9.0, {"myocyte": 92, "fibroblast": 5, "endothelial": 3}),
    code("septum"): _Population(2800, 8.0, {"fibroblast": 78, "endothelial": 16, "macrophage": 6}),
    code("plexus"): _Population(4200, 7.5, {"glia": 88, "fibroblast": 12}),
    code("vessel"): _Population(7000, 6.0, {"endothelial": 58, "myocyte": 42}),
    BLOOD: _Population(14000, 4.6, {"erythrocyte": 97, "t_cell": 3}),
}


@dataclass(frozen=True)
class Cells:
    """One entry a cell, and the map from bins to cells.

    Parameters
    ----------
    x_um, y_um
        float32 centres in the phantom's frame.
    kind
        uint8 place in ``CELL_TYPES``.
    region
        uint8 region code at the centre.
    angle
        float32 direction of the long axis, radians from the x axis.
    owner
        int32, rows x columns of 2 µm bins: index of the cell whose body covers the bin, -1 where none does.
    """

    x_um: np.ndarray
    y_um: np.ndarray
    kind: np.ndarray
    region: np.ndarray
    angle: np.ndarray
    owner: np.ndarray

    def __len__(self) -> int:
        return len(self.x_um)

    @property
    def domain(self) -> np.ndarray:
        """uint8 domain code (place in ``DOMAINS`` plus one) of each cell."""
        return np.where(self.region == BLOOD, code("vessel"), self.region).astype(np.uint8)


def place_cells(rng: np.random.Generator, tissue: Tissue) -> Cells:
    """Fill the regions with cells."""
    rows, cols, x, y = _hard_core(rng, tissue.region)
    region = tissue.region[rows, cols]
    kind = _draw_types(rng, tissue, rows, cols)
    axis = np.array([kind.axis for kind in CELL_TYPES])[kind]
    angle = tissue.tangent[rows, cols] + rng.normal(0, 0.25, len(x))
    angle += np.where(axis == "across", np.pi / 2, 0)
    angle = np.where(axis == "any", rng.uniform(0, np.pi, len(x)), angle)
    owner = _owners(tissue, rows, cols, kind)
    return Cells(x.astype(np.float32), y.astype(np.float32), kind, region, angle.astype(np.float32), owner)


def _hard_core(rng: np.random.Generator, region: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Random sequential packing in rounds: a candidate stays if it keeps its distance from all that came before."""
    density, distance = np.zeros(256), np.ones(256)
    for region_code, population in _POPULATIONS.items():
        density[region_code], distance[region_code] = population.density, population.distance_um
    wanted = density[region] * (GRID_UM / 1000) ** 2
    # Candidates per bin: enough that packing, not their number, is what keeps the density below that wanted.
    bins = np.flatnonzero(rng.random(region.shape) < np.minimum(1.9 * wanted, 0.5))
    bins = rng.permutation(bins)
    rows, cols = np.unravel_index(bins, region.shape)
    x = (cols + rng.random(len(bins))) * GRID_UM
    y = (rows + rng.random(len(bins))) * GRID_UM
    own = distance[region[rows, cols]]
    pairs = cKDTree(np.column_stack([x, y])).query_pairs(own.max(initial=1.0), output_type="ndarray")
    near = np.hypot(x[pairs[:, 0]] - x[pairs[:, 1]], y[pairs[:, 0]] - y[pairs[:, 1]])
    pairs = pairs[near < 0.5 * (own[pairs[:, 0]] + own[pairs[:, 1]])]
    pairs.sort(axis=1)
    kept = np.zeros(len(x), dtype=bool)
    open_ = np.ones(len(x), dtype=bool)
    # Matern thinning, repeated on what is still open, ends in the packing that one-by-one insertion would give.
    while open_.any():
        live = pairs[open_[pairs].all(axis=1)]
        first = open_.copy()
        first[live[:, 1]] = False
        kept |= first
        open_ &= ~first
        open_[pairs[first[pairs[:, 0]], 1]] = False
        open_[pairs[first[pairs[:, 1]], 0]] = False
    # Where packing left more cells than wanted, thin at random.
    got = np.bincount(region[rows[kept], cols[kept]], minlength=256)
    area = np.bincount(region.ravel(), minlength=256) * (GRID_UM / 1000) ** 2
    keep_share = np.minimum(density * area / np.maximum(got, 1), 1.0)
    kept &= rng.random(len(x)) < keep_share[region[rows, cols]]
    return rows[kept], cols[kept], x[kept], y[kept]


def _draw_types(rng: np.random.Generator, tissue: Tissue, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Cell types by region, with shares that drift smoothly over the tissue."""
    drift = np.stack([smooth_field(rng, tissue.shape, 150)[rows, cols] for _ in CELL_TYPES], axis=1)
    region = tissue.region[rows, cols]
    weights = np.zeros((256, len(CELL_TYPES)))
    for region_code, population in _POPULATIONS.items():
        for name, share in population.shares.items():
            weights[region_code, TYPE_NAMES.index(name)] = share
    cumulated = np.cumsum(weights[region] * np.exp(0.35 * drift), axis=1)
    draw = rng.random(len(rows)) * cumulated[:, -1]
    return (cumulated < draw[:, None]).sum(axis=1).astype(np.uint8)


def _owners(tissue: Tissue, rows: np.ndarray, cols: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Nearest cell of each bin, if its body reaches that far; cells keep out of lumina."""
    centre = np.full(tissue.shape, -1, dtype=np.int32)
    centre[rows, cols] = np.arange(len(rows), dtype=np.int32)
    distance, nearest = ndimage.distance_transform_edt(centre < 0, return_indices=True)
    owner = centre[tuple(nearest)]
    reach = np.array([kind.reach_um for kind in CELL_TYPES])[kind][owner]
    open_space = ~np.isin(tissue.region, list(_POPULATIONS))
    owner[(distance * GRID_UM > reach) | open_space] = -1
    # A cell always covers the bin of its own centre, so that no cell's RNA is lost.
    owner[rows, cols] = np.arange(len(rows), dtype=np.int32)
    return owner
