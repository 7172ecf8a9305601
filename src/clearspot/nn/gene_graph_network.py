"""Graph network over co-expressed genes, giving each gene a correction to its loadings on the programs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MAX_LOG_FACTOR = 0.7
"""Largest correction either way: a factor of two."""


class GraphConvolution(nn.Module):
    r"""Graph convolution of Morris et al. (2019): ``GraphConv`` of PyTorch Geometric, with the same parameters.

    .. math:: x'_i = W_1 x_i + W_2 \sum_{j \to i} e_{ji} x_j + b

    Parameters
    ----------
    n_in, n_out
        Features of a node before and after.
    """

    def __init__(self, n_in: int, n_out: int):
        super().__init__()
        self.lin_rel = nn.Linear(n_in, n_out)
        self.lin_root = nn.Linear(n_in, n_out, bias=False)

    def forward(self, x: Tensor, edges: Tensor, weights: Tensor) -> Tensor:
        """Features ``(nodes, n_out)`` from features ``(nodes, n_in)``, edges ``(2, n)`` and their weights ``(n,)``."""
        start, end = edges
        arriving = torch.zeros_like(x).index_add(0, end, weights[:, None] * x.index_select(0, start))
        rel: Tensor = self.lin_rel(arriving) + self.lin_root(x)
        return rel


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
        self.first = GraphConvolution(n_programs + 1, width)
        self.second = GraphConvolution(width, width)
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
