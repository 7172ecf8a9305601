"""The spatial graph as the layers use it: compressed rows, self-loops in, and the way back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor


@dataclass(frozen=True)
class Neighbourhood:
    """Neighbours of every spot, the spot itself among them (``N_i`` of the paper).

    Edges are sorted by the receiving spot ``i``, then by the neighbour ``j``.

    Parameters
    ----------
    row_start
        Where the edges of spot ``i`` begin, shape ``(n_spots + 1,)``.
    receiver, neighbour
        ``i`` and ``j`` of every edge, shape ``(n_edges,)``.
    reverse
        Position of edge ``(j, i)`` for every edge ``(i, j)``: the graph is undirected, so its transpose is a
        permutation of the edge values.
    """

    row_start: Tensor
    receiver: Tensor
    neighbour: Tensor
    reverse: Tensor

    @property
    def n_spots(self) -> int:
        """Number of spots."""
        return self.row_start.numel() - 1

    @property
    def n_edges(self) -> int:
        """Number of directed edges, self-loops included."""
        return self.neighbour.numel()

    @classmethod
    def from_graph(cls, graph: sp.spmatrix | sp.sparray) -> Neighbourhood:
        """Take the pattern of a symmetric adjacency matrix and add the missing self-loops.

        Parameters
        ----------
        graph
            Adjacency, shape ``(n_spots, n_spots)``; stored values other than zero are edges.

        Raises
        ------
        ValueError
            If the matrix is not square or its pattern is not symmetric.
        """
        if graph.shape[0] != graph.shape[1]:
            raise ValueError(f"a graph needs as many rows as columns, not {graph.shape}")
        pattern = sp.csr_matrix(graph, copy=True)
        pattern.data = np.ones(pattern.nnz, dtype=np.int64) * (pattern.data != 0)
        pattern.eliminate_zeros()
        pattern = (pattern + sp.identity(pattern.shape[0], dtype=np.int64, format="csr")).tocsr()
        pattern.sort_indices()
        pattern.data = np.arange(pattern.nnz, dtype=np.int64)
        transposed = pattern.T.tocsr()
        transposed.sort_indices()
        if not np.array_equal(transposed.indices, pattern.indices):
            raise ValueError("the graph is not symmetric: neighbours must be mutual")
        row_start = torch.from_numpy(pattern.indptr.astype(np.int64))
        receiver = torch.repeat_interleave(torch.arange(pattern.shape[0]), row_start.diff())
        return cls(
            row_start=row_start,
            receiver=receiver,
            neighbour=torch.from_numpy(pattern.indices.astype(np.int64)),
            reverse=torch.from_numpy(transposed.data.astype(np.int64)),
        )

    def to(self, device: torch.device) -> Neighbourhood:
        """Move to a device."""
        return Neighbourhood(
            self.row_start.to(device), self.receiver.to(device), self.neighbour.to(device), self.reverse.to(device)
        )

    def matrix(self, edge_values: Tensor) -> Tensor:
        """Sparse matrix with these edge values, shape ``(n_spots, n_spots)``, compressed rows."""
        return torch.sparse_csr_tensor(
            self.row_start, self.neighbour, edge_values, size=(self.n_spots, self.n_spots), check_invariants=False
        )
