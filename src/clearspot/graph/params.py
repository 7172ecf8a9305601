"""Parameters of the spatial graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clearspot.contract.settings import Settings, setting

Strategy = Literal["radius", "knn", "grid", "delaunay"]


@dataclass(frozen=True)
class GraphParams(Settings):
    """How neighbours are found."""

    method: Strategy | None = setting(
        None,
        "How neighbours are found; radius is the paper's way.",
        none="radius for spots and bins, delaunay for segmented cells",
    )
    radius: float | None = setting(
        None,
        "Maximum distance of neighbours (radius) or longest edge (delaunay), in micrometres.",
        none="found from the positions; for cells with delaunay 40 µm",
        gt=0,
    )
    n_neighbors: int = setting(
        6,
        "Number of neighbours: exact for knn; for radius and grid the target, met by the nearest whole shell of a "
        "lattice.",
        ge=1,
    )
