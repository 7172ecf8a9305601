"""Graph network over co-expressed genes, giving each gene a correction to its loadings on the programs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clearspot.extras import extra

with extra("superres"):
    from torch_geometric.nn import GraphConv

MAX_LOG_FACTOR = 0.7
"""Largest correction either way: a factor of two."""


class GeneGraphNetwork(nn.Module):
    """Two graph convolutions over genes, then one factor a program and gene.

    The weights are shared by all genes, so any panel runs, and permuting genes permutes the factors.

    Parameters
    ----------
    n_programs
        Number of gene programs.
    width
        Of the hidden layer.
    """

    def __init__(self, n_programs: int, width: int = 32):
        super().__init__()
        self.first = GraphConv(n_programs + 1, width)
        self.second = GraphConv(width, width)
        self.out = nn.Linear(width, n_programs)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor, edges: Tensor, weights: Tensor) -> Tensor:
        """Factors for the loadings.

        Parameters
        ----------
        features
            ``(genes, programs + 1)``: what :func:`gene_features` gives.
        edges
            ``(2, n)``: from co-expressed gene to gene.
        weights
            ``(n,)``; those that arrive at a gene sum to 1.

        Returns
        -------
        ``(programs, genes)``, positive, 1 before training.
        """
        hidden = torch.nn.functional.silu(self.first(features, edges, weights))
        hidden = torch.nn.functional.silu(self.second(hidden, edges, weights))
        return torch.exp(MAX_LOG_FACTOR * torch.tanh(self.out(hidden))).T


def gene_features(loadings: Tensor) -> Tensor:
    """What the network knows of a gene: its share of each program, and how abundant it is.

    Parameters
    ----------
    loadings
        ``(programs, genes)``, not negative.

    Returns
    -------
    ``(genes, programs + 1)``.
    """
    totals = loadings.sum(dim=0).clamp(min=1e-12)
    abundance = torch.log10(totals)
    return torch.cat([(loadings / totals).T, (abundance - abundance.mean())[:, None]], dim=1)
