"""The three output layers of the decoder."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from clearspot.nn.neighbour_sum import neighbour_sum
from clearspot.nn.neighbourhood import Neighbourhood
from clearspot.nn.spatial_graph_attention import AttentionScores, new_weight

START_DISPERSION_LOGIT = 1.0
START_DROPOUT_LOGIT = -3.0
"""Where intercepts begin: moderate over-dispersion, 5 % drop-out."""


class OutputHeads(nn.Module):
    """Mean, dispersion and, for ZINB, drop-out: one weight each, and how they receive from neighbours.

    Parameters
    ----------
    n_hidden, n_genes
        Widths.
    n_heads
        2 for NB, 3 for ZINB.
    intercept
        Give each gene and head a free intercept.
    mean_link
        How the mean follows from its layer's output: see :func:`clearspot.nn.output_activations.linked_`.
    own_attention
        Give each head attention of its own instead of the first encoder layer's.
    """

    def __init__(
        self,
        *,
        n_hidden: int,
        n_genes: int,
        n_heads: int,
        intercept: bool,
        own_attention: bool,
        mean_link: str = "exp",
    ):
        super().__init__()
        self.mean_link = mean_link
        self.weights = nn.ParameterList([new_weight(n_hidden, n_genes) for _ in range(n_heads)])
        self.biases = (
            nn.ParameterList([nn.Parameter(torch.zeros(n_genes)) for _ in range(n_heads)]) if intercept else None
        )
        self.scores = nn.ModuleList([AttentionScores(n_genes) for _ in range(n_heads)]) if own_attention else None

    def receive(self, h: Tensor, attention: Tensor, neighbourhood: Neighbourhood) -> list[Tensor]:
        """Sum ``h`` over neighbours for each head; once for all of them where they share the attention.

        Parameters
        ----------
        h
            Output of the inner decoder layer, shape ``(n_spots, n_hidden)``.
        attention
            Of the first encoder layer, shape ``(n_edges,)``.
        neighbourhood
            The graph.
        """
        if self.scores is None:
            return [neighbour_sum(attention, h, neighbourhood)] * len(self.weights)
        own = [scores(h, neighbourhood, weight) for scores, weight in zip(self.scores, self.weights, strict=True)]
        return [neighbour_sum(weights, h, neighbourhood) for weights in own]

    def intercepts(self, offset: Tensor | None = None) -> list[Tensor] | None:
        """Intercepts of the heads, or ``None``.

        Parameters
        ----------
        offset
            Added to those of the mean, shape ``(n_genes,)``.
        """
        if self.biases is None:
            return None
        mean, *others = self.biases
        return [mean if offset is None else mean + offset, *others]

    @torch.no_grad()
    def start_at(self, rates: Tensor) -> None:
        """Start the intercepts at a section of constant expression.

        Parameters
        ----------
        rates
            Mean count of every gene per unit of size factor, positive, shape ``(n_genes,)``.
        """
        if self.biases is None:
            raise ValueError("these heads have no intercepts")
        for bias, start in zip(self.biases, (rates.log(), START_DISPERSION_LOGIT, START_DROPOUT_LOGIT), strict=False):
            bias.copy_(torch.as_tensor(start).expand_as(bias))
