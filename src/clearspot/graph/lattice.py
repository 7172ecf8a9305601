"""What follows from the spacing of spots: the pitch, whether they form a lattice, and the radius for a mean degree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from clearspot.graph.ties import at_most

_SAMPLE: Final = 20_000
"""Spots whose neighbours are looked up; a median over so many does not move."""

_DEEPEST: Final = 3
"""Neighbours are looked up to this many times the wanted degree."""

_GAP: Final = 1.2
"""Shells of a lattice are further apart than this ratio (hexagonal 1.73, square 1.41; the second and third shell of
either are closer, and count as one)."""

_HEXAGONAL_FROM: Final = 1.57
"""Ratio of second to first shell that separates a hexagonal (1.73) from a square lattice (1.41)."""

_FEWEST_TOUCHING: Final = 3
"""Fewer equally near neighbours than this are no lattice. Thin strips of tissue bring the median below 6 or 4."""

_SHELL_DEGREES: Final = {"hexagonal": (6, 18), "square": (4, 8, 20)}
"""Neighbours up to and with each shell that stands apart from the next."""


@dataclass(frozen=True)
class Spacing:
    """Spacing of spots.

    Parameters
    ----------
    pitch
        Median distance to the nearest spot, in the coordinates' unit.
    degree
        Neighbours that a spot inside the tissue has within ``radius``.
    radius
        Distance that separates those neighbours from the next ones.
    lattice
        ``hexagonal`` or ``square`` where the nearest neighbours are a shell that stands apart; else ``irregular``.
    """

    pitch: float
    degree: int
    radius: float
    lattice: str


def find_spacing(coordinates: NDArray[np.float64], degree: int = 6) -> Spacing:
    """Radius within which the median spot has about ``degree`` neighbours.

    With ``m_k`` the median distance to the k-th nearest spot, a lattice shows as jumps from ``m_k`` to ``m_{k+1}``
    between shells of equal distances. The shell whose degree is nearest to the wanted one is taken (the larger of two:
    8, not 4, on a square grid where a hexagon's 6 is wanted) and the radius put in the middle of the jump after it,
    where neither rounding nor a slight distortion can change an edge. Off a lattice the radius lies between
    ``m_degree`` and the next.

    Parameters
    ----------
    coordinates
        N x 2, finite, N >= 2. Give all spots, not only the passing ones: holes blur the shells.
    degree
        Wanted number of neighbours.
    """
    n_spots = len(coordinates)
    if n_spots < 2:
        raise ValueError("the spacing of fewer than two spots is not defined")
    depth = min(_DEEPEST * degree + 1, n_spots - 1)
    # A stride, not a random draw: deterministic, and spread over barcodes, whose order has nothing to do with place.
    queried = coordinates[:: max(1, n_spots // _SAMPLE)]
    distances, _ = cKDTree(coordinates).query(queried, k=depth + 1)
    medians = np.median(distances[:, 1:], axis=0)  # the first is the spot itself
    pitch = float(medians[0])
    lattice, shells = _shells(medians)
    if lattice == "irregular":
        inside = min(degree, depth - 1)
        found = inside
    else:
        found, inside = min(shells, key=lambda shell: (abs(shell[0] - degree), -shell[0]))
    # Two spots have one distance, so nothing to lie between.
    radius = float(medians[inside - 1] + medians[inside]) / 2 if inside else pitch
    return Spacing(pitch, max(found, 1), radius, lattice)


def _shells(medians: NDArray[np.float64]) -> tuple[str, list[tuple[int, int]]]:
    """Kind of lattice, and (nominal degree, neighbours that the median spot has) up to and with each shell."""
    if not medians[0] > 0:
        return "irregular", []
    jumps = np.flatnonzero(medians[1:] / medians[:-1] > at_most(_GAP)) + 1
    if not jumps.size or jumps[0] < _FEWEST_TOUCHING or medians[jumps[0] - 1] > at_most(_GAP) * medians[0]:
        return "irregular", []
    lattice = "hexagonal" if medians[jumps[0]] > at_most(_HEXAGONAL_FROM) * medians[0] else "square"
    return lattice, list(zip(_SHELL_DEGREES[lattice], jumps.tolist(), strict=False))
