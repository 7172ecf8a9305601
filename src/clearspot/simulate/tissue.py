"""Regions of a layered gut-like tissue on a 2 µm grid: layers, round niches and structures finer than a spot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from clearspot.simulate.choices import TISSUE_WIDTH
from clearspot.simulate.fields import smooth_field

GRID_UM: Final = 2.0
"""Edge of the finest bins: that of a Visium HD square."""

DOMAINS: Final = (
    "mucosa",
    "epithelium",
    "muscularis_mucosae",
    "submucosa",
    "follicle",
    "germinal_centre",
    "muscle",
    "septum",
    "plexus",
    "vessel",
)
"""True spatial domains; a region's code is its place in this list plus one, 0 is off tissue."""

# Parts of a domain that hold other cells than the rest of it, or none.
LUMEN: Final = len(DOMAINS) + 1
BLOOD: Final = len(DOMAINS) + 2

_REGION_TO_DOMAIN: Final = np.array(
    [0, *range(1, len(DOMAINS) + 1), DOMAINS.index("epithelium") + 1, DOMAINS.index("vessel") + 1], dtype=np.uint8
)


def code(domain: str) -> int:
    """Region code of a domain."""
    return DOMAINS.index(domain) + 1


@dataclass(frozen=True)
class Tissue:
    """Where which region lies.

    Parameters
    ----------
    region
        uint8, rows x columns of 2 µm bins: 0 off tissue, 1.. the domains, then ``LUMEN`` and ``BLOOD``.
    depth_um
        float32: warped distance from the luminal side; its level lines are the layers.
    along_um
        float32: coordinate along the layers.
    tangent
        float32, radians: direction of the layers (angle to the x axis).
    """

    region: np.ndarray
    depth_um: np.ndarray
    along_um: np.ndarray
    tangent: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the 2 µm grid."""
        rows, cols = self.region.shape
        return rows, cols

    @property
    def mask(self) -> np.ndarray:
        """True on tissue (lumina are part of it, tears are not)."""
        return self.region > 0

    @property
    def domain(self) -> np.ndarray:
        """uint8: 0 off tissue, else place in ``DOMAINS`` plus one."""
        return _REGION_TO_DOMAIN[self.region]


def make_tissue(
    rng: np.random.Generator, width_um: float, height_um: float, tissue_width: float = TISSUE_WIDTH
) -> Tissue:
    """Draw a tissue section: smooth outline with a tear, four layers, crypts, follicles, vessels, septa, a plexus.

    Parameters
    ----------
    rng
        Source of all randomness.
    width_um, height_um
        Size of the field; the tissue leaves a margin around it.
    tissue_width
        Width of the tissue as a share of the field's, and so of the height.

    Returns
    -------
    The regions on the 2 µm grid.
    """
    shape = (round(height_um / GRID_UM), round(width_um / GRID_UM))
    y, x = (np.arange(n, dtype=np.float32)[:, None] * GRID_UM + GRID_UM / 2 for n in shape)
    x = x.T
    mask = _outline(rng, shape, x, y, width_um, height_um, tissue_width)
    depth, along = _layers(rng, shape, x, y, height_um)
    slope_y, slope_x = np.gradient(ndimage.gaussian_filter(depth, 4))
    tangent = np.arctan2(-slope_x, slope_y).astype(np.float32)

    region = _paint_layers(rng, depth, height_um)
    edge_um = ndimage.distance_transform_edt(mask).astype(np.float32) * GRID_UM
    region[(region == code("mucosa")) & (edge_um < 24)] = code("epithelium")
    _paint_crypts(rng, region, tangent, edge_um)
    _paint_vessels(rng, region, edge_um)
    _paint_follicles(rng, region, depth, edge_um, height_um)
    region[~mask] = 0
    return Tissue(region, depth, along, tangent)


def _outline(
    rng: np.random.Generator,
    shape: tuple[int, int],
    x: np.ndarray,
    y: np.ndarray,
    width: float,
    height: float,
    tissue_width: float,
) -> np.ndarray:
    """Superellipse with a wavy rim, less one elongated tear."""
    radius = (np.abs(2 * x / width - 1) ** 3 + np.abs(2 * y / height - 1) ** 3) ** (1 / 3)
    size = min(width, height) / GRID_UM
    rim = tissue_width + 0.035 * smooth_field(rng, shape, size / 7) + 0.008 * smooth_field(rng, shape, 30)
    mask = radius < rim
    centre_x, centre_y = width * rng.uniform(0.3, 0.7), height * rng.uniform(0.50, 0.60)
    angle = rng.uniform(-0.4, 0.4)
    u = (x - centre_x) * np.cos(angle) + (y - centre_y) * np.sin(angle)
    v = (y - centre_y) * np.cos(angle) - (x - centre_x) * np.sin(angle)
    tear = np.hypot(u / (0.09 * width), v / (0.018 * height)) + 0.15 * smooth_field(rng, shape, 12) < 1
    labels, _ = ndimage.label(mask & ~tear)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return labels == sizes.argmax()


def _layers(
    rng: np.random.Generator, shape: tuple[int, int], x: np.ndarray, y: np.ndarray, height: float
) -> tuple[np.ndarray, np.ndarray]:
    size = min(shape)
    warp = 0.045 * smooth_field(rng, shape, size / 4) + 0.010 * smooth_field(rng, shape, size / 12)
    depth = y + height * warp
    along = x + 0.04 * height * smooth_field(rng, shape, size / 5)
    return depth.astype(np.float32), along.astype(np.float32)


def _paint_layers(rng: np.random.Generator, depth: np.ndarray, height: float) -> np.ndarray:
    region = np.full(depth.shape, code("mucosa"), dtype=np.uint8)
    mucosa_end, submucosa_end = 0.42 * height, 0.64 * height
    plexus = 0.80 * height
    # Depth is warped, so a band of constant width is not one of constant depth.
    steepness = np.hypot(*np.gradient(ndimage.gaussian_filter(depth, 4))) / GRID_UM
    region[depth > mucosa_end] = code("muscularis_mucosae")
    region[depth > mucosa_end + 36 * steepness] = code("submucosa")
    region[depth > submucosa_end] = code("muscle")
    # Septa follow the zero lines of a random field: curved bands of constant width.
    field = smooth_field(rng, (depth.shape[0], depth.shape[1]), 110)
    slope = np.hypot(*np.gradient(field)) / GRID_UM
    thin = np.abs(field) < 13 * np.maximum(slope, 1e-4)
    region[(region == code("muscle")) & thin] = code("septum")
    # The plexus is a chain of flat ganglia between the two muscle layers.
    chain = smooth_field(rng, (depth.shape[0], depth.shape[1]), 40) > -0.4
    region[(np.abs(depth - plexus) < 16 * steepness) & chain] = code("plexus")
    return region


def _spread_points(rng: np.random.Generator, allowed: np.ndarray, distance_um: float, most: int) -> np.ndarray:
    """Random bins (row, column) of ``allowed`` that keep a distance from each other."""
    candidates = np.argwhere(allowed)
    if len(candidates) == 0:
        return candidates
    candidates = rng.permutation(candidates)[: 40 * most]
    tree = cKDTree(candidates)
    free = np.ones(len(candidates), dtype=bool)
    chosen = []
    for index in range(len(candidates)):
        if free[index]:
            chosen.append(index)
            free[tree.query_ball_point(candidates[index], distance_um / GRID_UM)] = False
            if len(chosen) == most:
                break
    return candidates[chosen]


def _window(region: np.ndarray, centre: np.ndarray, reach_um: float) -> tuple[tuple[slice, slice], np.ndarray]:
    """Slices around a bin, and the offsets (dy, dx) in µm of the bins inside."""
    reach = int(np.ceil(reach_um / GRID_UM))
    low = np.maximum(centre - reach, 0)
    high = np.minimum(centre + reach + 1, region.shape)
    dy, dx = np.mgrid[low[0] : high[0], low[1] : high[1]].astype(np.float32)
    offsets = np.stack([dy - centre[0], dx - centre[1]]) * GRID_UM
    return (slice(low[0], high[0]), slice(low[1], high[1])), offsets


def _wobbly_radius(rng: np.random.Generator, offsets: np.ndarray, wobble: float) -> np.ndarray:
    """Distance from the centre, divided by a random smooth function of the direction."""
    angle = np.arctan2(offsets[0], offsets[1])
    rim = sum(
        wobble / order * np.cos(order * angle + phase)
        for order, phase in enumerate(rng.uniform(0, 2 * np.pi, 4), start=2)
    )
    return np.hypot(*offsets) / (1 + rim)


def _paint_crypts(rng: np.random.Generator, region: np.ndarray, tangent: np.ndarray, edge_um: np.ndarray) -> None:
    """Glands: an epithelial ring 22-28 µm wide around an empty lumen, elongated across the layer."""
    mucosa = region == code("mucosa")
    inside = ndimage.distance_transform_edt(mucosa).astype(np.float32) * GRID_UM
    area = mucosa.sum() * GRID_UM**2
    for centre in _spread_points(rng, (inside > 30) & (edge_um > 40), 108, int(area / 9000)):
        outer, wall, stretch = rng.uniform(35, 48), rng.uniform(22, 28), rng.uniform(1.0, 1.9)
        where, (dy, dx) = _window(region, centre, outer * stretch + 10)
        angle = tangent[tuple(centre)] + rng.normal(0, 0.15)
        across = dy * np.cos(angle) - dx * np.sin(angle)
        lengthwise = dx * np.cos(angle) + dy * np.sin(angle)
        # Shrink the long axis to a point-to-segment distance, so that the wall keeps its width all around.
        half = (stretch - 1) * outer
        radius = _wobbly_radius(
            rng, np.stack([np.sign(across) * np.maximum(np.abs(across) - half, 0), lengthwise]), 0.1
        )
        part = region[where]
        own = part == code("mucosa")
        part[own & (radius < outer)] = code("epithelium")
        part[own & (radius < outer - wall)] = LUMEN


def _paint_vessels(rng: np.random.Generator, region: np.ndarray, edge_um: np.ndarray) -> None:
    """Vessels: a wall 12-18 µm wide around blood."""
    stroma = region == code("submucosa")
    inside = ndimage.distance_transform_edt(stroma).astype(np.float32) * GRID_UM
    area = stroma.sum() * GRID_UM**2
    for centre in _spread_points(rng, (inside > 45) & (edge_um > 45), 150, max(int(area / 60_000), 2)):
        outer, wall = rng.uniform(24, 46), rng.uniform(12, 18)
        where, offsets = _window(region, centre, outer * 1.5)
        radius = _wobbly_radius(rng, offsets, 0.15)
        part = region[where]
        part[radius < outer] = code("vessel")
        part[radius < outer - wall] = BLOOD


def _paint_follicles(
    rng: np.random.Generator, region: np.ndarray, depth: np.ndarray, edge_um: np.ndarray, height: float
) -> None:
    """Lymphoid follicles with a germinal centre, where mucosa and submucosa meet."""
    size = 0.085 * min(max(height, 1000.0), 2400.0)
    belt = (np.abs(depth - 0.45 * height) < 0.06 * height) & (edge_um > size)
    most = max(2, round(region.shape[1] * GRID_UM / 1100))
    for centre in _spread_points(rng, belt, 4 * size, most):
        radius_um = size * rng.uniform(0.75, 1.15)
        where, offsets = _window(region, centre, radius_um * 1.5)
        radius = _wobbly_radius(rng, offsets, 0.10)
        part = region[where]
        part[radius < radius_um] = code("follicle")
        shift = rng.normal(0, 0.08 * radius_um, (2, 1, 1)).astype(np.float32)
        part[_wobbly_radius(rng, offsets - shift, 0.08) < 0.55 * radius_um] = code("germinal_centre")
