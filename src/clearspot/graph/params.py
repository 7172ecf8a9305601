"""Parameters of the spatial graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Strategy = Literal["radius", "knn", "grid", "delaunay"]


@dataclass(frozen=True)
class GraphParams:
    """How neighbours are found.

    Parameters
    ----------
    method
        ``radius`` (as the paper), ``knn``, ``grid`` or ``delaunay``.
    radius
        In micrometres: neighbours' largest distance (``radius``), or the longest edge kept (``delaunay``). ``None``:
        found from the spots.
    n_neighbors
        Neighbours to aim at (``radius``, ``grid``: the nearest whole shell of a lattice) or to take (``knn``).
    """

    method: Strategy = "radius"
    radius: float | None = None
    n_neighbors: int = 6

    def __post_init__(self) -> None:
        if self.method not in get_args(Strategy):
            raise ValueError(f"method must be one of {', '.join(get_args(Strategy))}, not {self.method!r}")
        if self.radius is not None and not self.radius > 0:
            raise ValueError(f"radius must be positive, not {self.radius}")
        if self.n_neighbors < 1:
            raise ValueError(f"n_neighbors must be at least 1, not {self.n_neighbors}")
