"""Every spot within a radius is a neighbour."""

from __future__ import annotations

from squidpy.gr.neighbors import GraphBuilderCSR, RadiusBuilder

from clearspot.graph.lattice import Spacing
from clearspot.graph.params import GraphParams


def radius_builder(params: GraphParams, spacing: Spacing) -> GraphBuilderCSR:
    """Builder with the given radius, or the one that gives the wanted degree."""
    return RadiusBuilder(radius=spacing.radius if params.radius is None else params.radius)
