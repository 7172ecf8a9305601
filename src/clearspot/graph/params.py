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
        "Method to find neighbours. The DUSTED paper uses radius.",
        none="radius for spots and bins, delaunay for segmented cells",
    )
    radius: float | None = setting(
        None,
        "Maximum distance between neighbours (radius) or maximum edge length (delaunay), in µm.",
        none="computed from the positions; 40 µm for segmented cells with delaunay",
        gt=0,
    )
    n_neighbors: int = setting(
        6,
        "Number of neighbours. Exact for knn; for radius and grid, the nearest complete shell of the lattice is used.",
        ge=1,
    )
