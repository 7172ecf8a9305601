"""Spots whose Voronoi cells touch are neighbours."""

from __future__ import annotations

from typing import Final

from clearspot.graph.builders import DelaunayBuilder, GraphBuilderCSR
from clearspot.graph.lattice import Spacing

_LONGEST: Final = 1.25
"""Longest edge kept, in radii of the wanted degree: all edges between touching spots, none across a gap."""


def delaunay_builder(longest: float | None, spacing: Spacing) -> GraphBuilderCSR:
    """Builder of the Delaunay triangulation without its long edges.

    A triangulation fills the convex hull: without a limit (``longest``, in the coordinates' unit) it would tie together
    what lies on two sides of a gap.
    """
    return DelaunayBuilder(radius=_LONGEST * spacing.radius if longest is None else longest)
