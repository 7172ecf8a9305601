"""The DUSTED graph autoencoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import elu

from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section, gene_rates, mean_expression, pooled_expression
from clearspot.nn.dense_product import dense_product
from clearspot.nn.gene_channel_attention import GeneChannelAttention, residual_gate
from clearspot.nn.neighbour_sum import neighbour_sum
from clearspot.nn.neighbourhood import Neighbourhood
from clearspot.nn.output_heads import OutputHeads
from clearspot.nn.spatial_graph_attention import AttentionScores, new_weight, propagate_narrow

LEAST_MEAN = 1e-3
"""Genes with a smaller mean input are standardised as if it were this: what single counts say would drown the rest."""


@dataclass(frozen=True)
class Encoded:
    """What the encoder makes of a tile.

    Parameters
    ----------
    latent
        Embedding of the spots, shape ``(n_spots, latent)``.
    outer, inner
        Attention of every edge in the first and in the second encoder layer, shape ``(n_edges,)`` each.
    """

    latent: Tensor
    outer: Tensor
    inner: Tensor


class Dusted(nn.Module):
    """Gene channel attention, two graph attention layers in, two out, and the outputs of the count distribution.

    Parameters
    ----------
    average, maximum
        Input expression pooled over the section, shape ``(n_genes,)`` each.
    params
        Settings.
    compute
        Precision of the dense products.
    centre
        Mean input of every gene, shape ``(n_genes,)``: the input is standardised with it. ``None``: taken as it is.
    """

    centre: Tensor | None
    gene_scale: Tensor | None

    def __init__(
        self,
        average: Tensor,
        maximum: Tensor,
        params: DustedParams,
        compute: torch.dtype = torch.float32,
        centre: Tensor | None = None,
    ):
        super().__init__()
        n_genes = average.numel()
        scale = None if centre is None else centre.clamp(min=LEAST_MEAN).rsqrt()
        self.register_buffer("centre", centre)
        self.register_buffer("gene_scale", scale)
        if scale is not None:
            average, maximum = average * scale, maximum * scale
        self.alpha = params.alpha
        self.latent_elu = params.latent_elu
        self.compute = compute
        self.gene_attention = (
            GeneChannelAttention(average, maximum, params.reduction_ratio) if params.gene_attention else None
        )
        self.encoder_outer = new_weight(n_genes, params.hidden)
        self.encoder_inner = new_weight(params.hidden, params.latent)
        self.scores_outer = AttentionScores(params.hidden)
        self.scores_inner = AttentionScores(params.latent)
        self.self_gates = nn.Parameter(torch.zeros(2)) if params.self_gate else None
        self.decoder_inner = None if params.tied_weights else new_weight(params.latent, params.hidden)
        self.heads = OutputHeads(
            n_hidden=params.hidden,
            n_genes=n_genes,
            n_heads=3 if params.likelihood == "zinb" else 2,
            intercept=params.gene_intercept,
            mean_link=params.mean_link,
            own_attention=params.heads == "attention",
        )

    def first_weight(self) -> Tensor:
        """Weight of the first layer with what every gene is multiplied by folded in (equations 2.1 and 2.2)."""
        weight: Tensor = self.encoder_outer
        if self.gene_attention is not None:
            weight = residual_gate(self.gene_attention(), self.alpha)[:, None] * weight
        return weight if self.gene_scale is None else self.gene_scale[:, None] * weight

    def encode(self, x: Tensor, neighbourhood: Neighbourhood, gated: bool = True) -> Encoded:
        r"""Two graph attention layers (equation 2.3).

        .. math:: h_i^{(k)} = ELU\Big(\sum_{j \in N_i} a_{ij}^{(k)} W_k h_j^{(k-1)}\Big)

        Parameters
        ----------
        x
            Input expression, shape ``(n_spots, n_genes)``.
        neighbourhood
            The graph.
        gated
            With the self gates, where the model has them.
        """
        weight = self.first_weight()
        projected = dense_product(x, weight, self.compute)
        if self.centre is not None:
            projected = projected - self.centre @ weight
        outer = self.scores_outer(projected, neighbourhood)
        outer = self._gated(0, outer, neighbourhood) if gated else outer
        hidden = elu(neighbour_sum(outer, projected, neighbourhood))
        projected = dense_product(hidden, self.encoder_inner, hidden.dtype)
        inner = self.scores_inner(projected, neighbourhood)
        inner = self._gated(1, inner, neighbourhood) if gated else inner
        latent = neighbour_sum(inner, projected, neighbourhood)
        return Encoded(elu(latent) if self.latent_elu else latent, outer, inner)

    def latent_scale(self) -> Tensor | None:
        """What each latent column is worth in the embedding, shape ``(latent,)``; ``None``: all the same.

        The square root of how far a unit of it moves all genes' outputs, up to ELU. A spectral start gives every
        direction the same spread, noise too; distances between spots should go by what a direction does.
        """
        if self.self_gates is None:
            return None
        weight = self.encoder_inner.t() if self.decoder_inner is None else self.decoder_inner
        return (weight @ self.heads.weights[0]).norm(dim=1).sqrt()

    def _gated(self, layer: int, attention: Tensor, neighbourhood: Neighbourhood) -> Tensor:
        """Attention that may turn to the spot itself further than a softmax of sigmoids can; still sums to 1."""
        if self.self_gates is None:
            return attention
        gate = torch.sigmoid(self.self_gates[layer]).to(attention.dtype)
        own = (neighbourhood.receiver == neighbourhood.neighbour).to(attention.dtype)
        return gate * own + (1 - gate) * attention

    def decode(self, encoded: Encoded, neighbourhood: Neighbourhood) -> list[Tensor]:
        r"""The inner decoder layer and the sums that the output layer receives (equation 2.4).

        .. math:: \hat h_i^{(k-1)} = ELU\Big(\sum_{j \in N_i} a_{ij}^{(k)} \hat W_k \hat h_j^{(k)}\Big)

        The attention is the encoder's own of the same layer; so is the weight, transposed, if tied.

        Returns
        -------
        Input of each output, already summed over neighbours, shape ``(n_spots, hidden)``.
        """
        weight = self.encoder_inner.t() if self.decoder_inner is None else self.decoder_inner
        received = propagate_narrow(encoded.latent, weight, encoded.inner, neighbourhood, encoded.latent.dtype)
        return self.heads.receive(elu(received), encoded.outer, neighbourhood)

    def forward(self, x: Tensor, neighbourhood: Neighbourhood) -> tuple[Encoded, list[Tensor]]:
        """Encode and decode, up to the output layer, whose product belongs to the loss."""
        encoded = self.encode(x, neighbourhood)
        return encoded, self.decode(encoded, neighbourhood)


def build_model(section: Section, params: DustedParams, compute: torch.dtype) -> Dusted:
    """A freshly initialised model for a section; the seed is set first, so that it decides the initialisation."""
    torch.manual_seed(params.seed)
    average, maximum = pooled_expression(section)
    centre = torch.from_numpy(mean_expression(section)) if params.input == "rate" else None
    model = Dusted(torch.from_numpy(average), torch.from_numpy(maximum), params, compute, centre)
    if params.gene_intercept:
        rates = np.maximum(gene_rates(section), 1e-4).astype(np.float32)
        model.heads.start_at(torch.from_numpy(rates))
    return model
