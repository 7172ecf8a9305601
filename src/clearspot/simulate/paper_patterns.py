"""Six spatial arrangements of cell types, after the kinds that scCube (Qian et al. 2024) offers."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from clearspot.simulate.fields import smooth_field

Pattern = Literal["patches", "mixing", "clusters", "rings", "stripes", "complex"]
PATTERNS: Final[tuple[Pattern, ...]] = ("patches", "mixing", "clusters", "rings", "stripes", "complex")

N_TYPES: Final = 5
_INFILTRATION: Final = 0.08
_RASTER: Final = 200
_CLUSTERS_A_SIDE: Final = 4


def positions(rng: np.random.Generator, n_spots: int) -> np.ndarray:
    """Spots on a jittered square grid with unit spacing (n x 2, x and y)."""
    side = int(np.ceil(np.sqrt(n_spots)))
    row, col = (grid.ravel()[:n_spots] for grid in np.mgrid[:side, :side])
    return np.column_stack([col, row]) + rng.uniform(-0.25, 0.25, (n_spots, 2))


def cell_types(rng: np.random.Generator, pattern: Pattern, spots: np.ndarray) -> np.ndarray:
    """Type (0 ... 4) of each spot's cells.

    ``patches``: regions of a random field; ``mixing``: the same with half the spots at random; ``clusters``: round
    clusters in a background; ``rings``: shells around two centres; ``stripes``: parallel wavy layers; ``complex``:
    layers on one side, clusters with a shell on the other. In all, 8 % of the spots hold an infiltrating type.

    Raises
    ------
    ValueError
        For a pattern that does not exist.
    """
    if pattern not in PATTERNS:
        raise ValueError(f"unknown pattern {pattern!r}; available: {', '.join(PATTERNS)}")
    unit = (spots - spots.min(axis=0)) / np.ptp(spots, axis=0).max()
    x, y = unit.T
    if pattern in {"patches", "mixing"}:
        types = _ranked(_field(rng, unit, 0.13))
    elif pattern == "clusters":
        types = _clusters(rng, unit, np.zeros(len(unit), dtype=int))
    elif pattern == "rings":
        centres = np.array([[0.32, 0.35], [0.70, 0.68]]) + rng.uniform(-0.05, 0.05, (2, 2))
        distance = np.hypot(*(unit[:, None] - centres).transpose(2, 0, 1)).min(axis=1)
        types = np.minimum((distance + 0.01 * _field(rng, unit, 0.05)) // 0.09, N_TYPES - 1).astype(int)
    elif pattern == "stripes":
        types = np.clip((y + 0.05 * _field(rng, unit, 0.2)) * N_TYPES, 0, N_TYPES - 1).astype(int)
    else:
        layers = np.clip((y + 0.04 * _field(rng, unit, 0.2)) * 3, 0, 2).astype(int)
        types = np.where(x < 0.5, layers, _clusters(rng, unit, layers))
    stray = rng.random(len(unit)) < (0.5 if pattern == "mixing" else _INFILTRATION)
    return np.where(stray, rng.integers(0, N_TYPES, len(unit)), types)


def _field(rng: np.random.Generator, unit: np.ndarray, length: float) -> np.ndarray:
    field = smooth_field(rng, (_RASTER, _RASTER), length * _RASTER)
    row, col = (np.minimum((unit[:, axis] * _RASTER).astype(int), _RASTER - 1) for axis in (1, 0))
    return field[row, col]


def _ranked(value: np.ndarray) -> np.ndarray:
    """Types of equal size by rank of a value."""
    return (np.argsort(np.argsort(value)) * N_TYPES // len(value)).astype(int)


def _clusters(rng: np.random.Generator, unit: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Round clusters, each with a core and a shell of different types, on the given background."""
    types = background.copy()
    for index in range(_CLUSTERS_A_SIDE**2):
        place = np.array(divmod(index, _CLUSTERS_A_SIDE))
        centre = (place + 0.5 + rng.uniform(-0.25, 0.25, 2)) / _CLUSTERS_A_SIDE
        distance = np.hypot(*(unit - centre).T) / rng.uniform(0.06, 0.12)
        types[distance < 1] = 1 + index % (N_TYPES - 1)
        types[distance < 0.55] = 1 + (index + 1) % (N_TYPES - 1)
    return types
