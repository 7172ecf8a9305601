"""Connected regions with low values, at several levels and several sizes of neighbourhood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from clearspot.checks.cells import Cells

NEIGHBOURHOODS: Final = (7, 19, 37)
"""Cells over which values are smoothed: one, two and three rings of a hexagon, as SpotSweeper looks at several."""

_LEVELS: Final = 24
_HIGHEST_LEVEL: Final = 0.75
"""Levels run from the lowest smoothed value to this quantile: an artefact may take up to two thirds of the section."""

_LARGEST: Final = 0.67
_SAME: Final = 0.9
_INNER: Final = 1.2
"""The first ring outside is blurred by spread RNA and half-covered spots; surroundings begin beyond it (in pitches)."""

_OUTER: Final = 4.2
_FEWEST_AROUND: Final = 10
_BIOLOGICAL: Final = 0.15
"""Differences of medians (natural log) that two places of one tissue show anyhow; keeps size alone from deciding."""

_MAD_TO_SD: Final = 1.4826


@dataclass(frozen=True)
class Candidate:
    """A connected region whose values are lower than around it.

    Parameters
    ----------
    inside
        Cells of the region.
    around
        Cells of its surroundings, one to four pitches away.
    contrast
        Median of the surroundings less the region's, natural log.
    step
        Same within two pitches of the border only: how sharp it is.
    score
        Contrast in standard errors.
    """

    inside: NDArray[np.intp]
    around: NDArray[np.intp]
    contrast: float
    step: float
    score: float


def find_candidates(
    values: NDArray[np.float64], cells: Cells, *, least_cells: int, least_contrast: float
) -> list[Candidate]:
    """Find connected regions of low values, best first; they may overlap or contain one another.

    Values are smoothed over each of :data:`NEIGHBOURHOODS`, cut at 24 levels, and every connected piece below a level
    is compared with the cells around it (a component tree, as maximally stable regions of an image are found).

    Parameters
    ----------
    values
        C values on a log scale, one a cell.
    cells
        The cells.
    least_cells
        Smaller regions are holes, vessels and single spots.
    least_contrast
        Smallest contrast, natural log.
    """
    found: list[Candidate] = []
    seen: list[NDArray[np.bool_]] = []
    for k in NEIGHBOURHOODS:
        if k > cells.n // 2:
            break
        smooth = smoothed(values, cells, k)
        levels = np.unique(np.linspace(smooth.min(), np.quantile(smooth, _HIGHEST_LEVEL), _LEVELS + 1)[1:])
        for level in levels:
            for inside in connected_pieces(smooth <= level, cells, least_cells):
                mask = np.zeros(cells.n, dtype=bool)
                mask[inside] = True
                if any((mask & other).sum() > _SAME * (mask | other).sum() for other in seen):
                    continue
                seen.append(mask)
                candidate = compare_with_around(values, cells, mask)
                if candidate is not None and candidate.contrast >= least_contrast:
                    found.append(candidate)
    return sorted(found, key=lambda one: -one.score)


def smoothed(values: NDArray[np.float64], cells: Cells, k: int) -> NDArray[np.float64]:
    """Median over the k nearest cells, itself included: single bad spots do not move it."""
    smooth: NDArray[np.float64] = np.median(values[cKDTree(cells.xy).query(cells.xy, k=k)[1]], axis=1)
    return smooth


def connected_pieces(low: NDArray[np.bool_], cells: Cells, least: int) -> list[NDArray[np.intp]]:
    """Connected pieces of a mask, of at least so many cells and at most two thirds of all."""
    joined = cells.pairs[low[cells.pairs].all(axis=1)]
    graph = coo_matrix((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(cells.n, cells.n))
    label = connected_components(graph, directed=False)[1]
    label = np.where(low, label, -1)
    numbers, size = np.unique(label[label >= 0], return_counts=True)
    fits = numbers[(size >= least) & (size <= _LARGEST * cells.n)]
    return [np.flatnonzero(label == number) for number in fits]


def compare_with_around(values: NDArray[np.float64], cells: Cells, mask: NDArray[np.bool_]) -> Candidate | None:
    """Compare a region with the cells around it; ``None`` where fewer than ten lie there."""
    inside = np.flatnonzero(mask)
    outside = np.flatnonzero(~mask)
    to_region = cKDTree(cells.xy[inside]).query(cells.xy[outside], distance_upper_bound=_OUTER * cells.pitch)[0]
    to_region /= cells.pitch
    around = outside[(to_region > _INNER) & np.isfinite(to_region)]
    near = outside[to_region <= _INNER + 1]
    if len(around) < _FEWEST_AROUND or not len(near):
        return None
    to_outside = cKDTree(cells.xy[outside]).query(cells.xy[inside])[0] / cells.pitch
    border = inside[to_outside <= _INNER + 1]
    low, high = values[inside], values[around]
    contrast = float(np.median(high) - np.median(low))
    error = np.sqrt(_spread(low) ** 2 / len(low) + _spread(high) ** 2 / len(high) + _BIOLOGICAL**2)
    step = float(np.median(values[near]) - np.median(values[border])) if len(border) else 0.0
    return Candidate(inside, around, contrast, step, contrast / float(error))


def _spread(values: NDArray[np.float64]) -> float:
    return _MAD_TO_SD * float(np.median(np.abs(values - np.median(values))))
