"""Graph attention over touching spots."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clearspot.nn.dense_product import dense_product
from clearspot.nn.neighbour_sum import neighbour_sum
from clearspot.nn.neighbourhood import Neighbourhood


def edge_scores(as_receiver: Tensor, as_neighbour: Tensor, neighbourhood: Neighbourhood) -> Tensor:
    r"""Unnormalised attention of every edge (equation 2.8).

    .. math:: e_{ij} = \sigma(v_s^T W h_i + v_r^T W h_j)

    Parameters
    ----------
    as_receiver, as_neighbour
        ``v_s^T W h_i`` and ``v_r^T W h_j`` of every spot, shape ``(n_spots,)`` each.
    neighbourhood
        The graph.

    Returns
    -------
    Shape ``(n_edges,)``.
    """
    return torch.sigmoid(as_receiver[neighbourhood.receiver] + as_neighbour[neighbourhood.neighbour])


def neighbour_softmax(scores: Tensor, neighbourhood: Neighbourhood) -> Tensor:
    """Attention that sums to 1 over the neighbours of each spot, itself included (equation 2.9).

    Parameters
    ----------
    scores
        ``e_ij`` of every edge, shape ``(n_edges,)``.
    neighbourhood
        The graph.

    Returns
    -------
    Shape ``(n_edges,)``. As ``torch_geometric.utils.softmax``, whose import takes three times as long as PyTorch's.
    """
    row_start, receiver = neighbourhood.row_start, neighbourhood.receiver
    largest = torch.segment_reduce(scores.detach(), "max", offsets=row_start)
    exponentials = (scores - largest.index_select(0, receiver)).exp()
    totals = torch.segment_reduce(exponentials, "sum", offsets=row_start)
    return exponentials / totals.index_select(0, receiver)


class AttentionScores(nn.Module):
    """The two vectors ``v_s`` and ``v_r`` of one layer (equations 2.8 and 2.9).

    Parameters
    ----------
    width
        Output width of the layer, the length of both vectors.
    """

    def __init__(self, width: int):
        super().__init__()
        self.receiver = nn.Parameter(torch.empty(width))
        self.neighbour = nn.Parameter(torch.empty(width))
        for vector in (self.receiver, self.neighbour):
            nn.init.xavier_normal_(vector.data.unsqueeze(0), gain=2**0.5)

    def forward(self, h: Tensor, neighbourhood: Neighbourhood, weight: Tensor | None = None) -> Tensor:
        """Attention of every edge.

        Parameters
        ----------
        h
            Projected values ``W h``, shape ``(n_spots, width)``; or, with ``weight``, the values before projection.
        neighbourhood
            The graph.
        weight
            ``W``, shape ``(n_in, width)``: the scores are then taken as ``h (W v)``, which for a layer that widens is
            the same at a fraction of the work.
        """
        receiver: Tensor = self.receiver
        neighbour: Tensor = self.neighbour
        if weight is not None:
            receiver, neighbour = weight @ receiver, weight @ neighbour
        return neighbour_softmax(edge_scores(h @ receiver, h @ neighbour, neighbourhood), neighbourhood)


def new_weight(n_in: int, n_out: int) -> nn.Parameter:
    """A layer's weight ``W``, shape ``(n_in, n_out)``, normal with Glorot's variance times 2."""
    weight = nn.Parameter(torch.empty(n_in, n_out))
    nn.init.xavier_normal_(weight, gain=2**0.5)
    return weight


def propagate_narrow(
    h: Tensor, weight: Tensor, attention: Tensor, neighbourhood: Neighbourhood, compute: torch.dtype
) -> Tensor:
    """``A h W``: what a spot receives from its neighbours (the argument of ELU in equations 2.3 and 2.4).

    The sum over neighbours and the product with the weight commute, ``A (h W) = (A h) W``, so neighbours are summed
    on whichever side is narrower.

    Parameters
    ----------
    h
        Values of the spots, shape ``(n_spots, n_in)``.
    weight
        ``W``, shape ``(n_in, n_out)``.
    attention
        Attention of every edge, shape ``(n_edges,)``.
    neighbourhood
        The graph.
    compute
        Precision of the dense product.

    Returns
    -------
    Shape ``(n_spots, n_out)``.
    """
    n_in, n_out = weight.shape
    if n_in < n_out:
        return dense_product(neighbour_sum(attention, h, neighbourhood), weight, compute)
    return neighbour_sum(attention, dense_product(h, weight, compute), neighbourhood)
