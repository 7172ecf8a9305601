"""Every spot within a radius is a neighbour."""

from __future__ import annotations

from clearspot.graph.builders import GraphBuilderCSR, RadiusBuilder
from clearspot.graph.lattice import Spacing


def radius_builder(radius: float | None, spacing: Spacing) -> GraphBuilderCSR:
    """Builder with the given radius (in the coordinates' unit), or the one that gives the wanted degree."""
    return RadiusBuilder(radius=spacing.radius if radius is None else radius)
