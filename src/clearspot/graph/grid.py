"""The first shell of the capture lattice."""

from __future__ import annotations

from clearspot.graph.builders import GraphBuilderCSR, GridBuilder
from clearspot.graph.lattice import Spacing


def grid_builder(spacing: Spacing, n_spots: int) -> GraphBuilderCSR:
    """Builder for a regular lattice: 6 neighbours on a hexagonal one, 4 or 8 on a square one.

    squidpy takes that many nearest spots and cuts those further away than 1.3 times the median distance, so spots at a
    border keep only their true neighbours.
    """
    return GridBuilder(n_neighs=min(spacing.degree, n_spots - 1))
