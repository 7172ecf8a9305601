"""The k nearest spots are neighbours, however far away they are."""

from __future__ import annotations

from squidpy.gr.neighbors import GraphBuilderCSR, KNNBuilder

from clearspot.graph.params import GraphParams


def knn_builder(params: GraphParams, n_spots: int) -> GraphBuilderCSR:
    """Builder of the k-nearest-neighbour graph.

    The relation is not mutual, so once made symmetric a spot may have more than k neighbours. No spot is isolated:
    pieces of tissue that lie apart may be joined.
    """
    return KNNBuilder(n_neighs=min(params.n_neighbors, n_spots - 1))
