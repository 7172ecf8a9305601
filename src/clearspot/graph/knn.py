"""The k nearest spots are neighbours, however far away they are."""

from __future__ import annotations

from clearspot.graph.builders import GraphBuilderCSR, KNNBuilder


def knn_builder(n_neighbors: int, n_spots: int) -> GraphBuilderCSR:
    """Builder of the k-nearest-neighbour graph.

    The relation is not mutual, so once made symmetric a spot may have more than k neighbours. No spot is isolated:
    pieces of tissue that lie apart may be joined.
    """
    return KNNBuilder(n_neighs=min(n_neighbors, n_spots - 1))
