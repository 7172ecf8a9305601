"""Spots whose Voronoi cells touch are neighbours."""

from __future__ import annotations

from typing import Final

from squidpy.gr.neighbors import DelaunayBuilder, GraphBuilderCSR

from clearspot.graph.lattice import Spacing
from clearspot.graph.params import GraphParams

_LONGEST: Final = 1.25
"""Longest edge kept, in radii of the wanted degree: all edges between touching spots, none across a gap."""


def delaunay_builder(params: GraphParams, spacing: Spacing) -> GraphBuilderCSR:
    """Builder of the Delaunay triangulation without its long edges.

    A triangulation fills the convex hull: without a limit it would tie together what lies on two sides of a gap.
    """
    return DelaunayBuilder(radius=_LONGEST * spacing.radius if params.radius is None else params.radius)
