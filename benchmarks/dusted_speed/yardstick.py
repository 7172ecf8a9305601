"""The same equations as one would first write them with PyTorch Geometric: what clearspot is measured against.

Attention layers in the manner of ``GATConv`` (project, gather along the edges, weight, scatter), the gate applied to
the input, three separate output layers whose projections are gathered along the edges, and the textbook likelihood
with three ``lgamma`` on every entry. All gradients are autograd's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, softplus
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import softmax


class AttentionLayer(MessagePassing):
    """One graph attention layer; given attention, it computes none of its own."""

    def __init__(self, n_in: int, n_out: int, scored: bool):
        super().__init__(aggr="add")
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.receiver = nn.Parameter(torch.empty(n_out)) if scored else None
        self.neighbour = nn.Parameter(torch.empty(n_out)) if scored else None

    def forward(self, h: Tensor, edges: Tensor, attention: Tensor | None = None) -> tuple[Tensor, Tensor]:
        projected = h @ self.weight
        if attention is None:
            score = (projected @ self.receiver)[edges[1]] + (projected @ self.neighbour)[edges[0]]
            attention = softmax(torch.sigmoid(score), edges[1], num_nodes=len(h))
        return self.propagate(edges, x=projected, attention=attention), attention

    def message(self, x_j: Tensor, attention: Tensor) -> Tensor:
        return attention[:, None] * x_j


class Yardstick(nn.Module):
    """DUSTED with ZINB, tied weights and tied attention."""

    def __init__(self, n_genes: int, hidden: int = 512, latent: int = 30, reduction: int = 16, alpha: float = 1.5):
        super().__init__()
        self.alpha = alpha
        self.mlp = nn.Sequential(
            nn.Linear(n_genes, n_genes // reduction), nn.ReLU(), nn.Linear(n_genes // reduction, n_genes)
        )
        self.outer = AttentionLayer(n_genes, hidden, scored=True)
        self.inner = AttentionLayer(hidden, latent, scored=True)
        self.heads = nn.ModuleList([AttentionLayer(hidden, n_genes, scored=False) for _ in range(3)])

    def forward(self, x: Tensor, edges: Tensor, size_factor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gate = torch.sigmoid(self.mlp(x.mean(dim=0)) + self.mlp(x.max(dim=0).values))
        h, outer = self.outer(x + self.alpha * (x * gate), edges)
        h, inner = self.inner(elu(h), edges)
        projected = elu(h) @ self.inner.weight.t()
        h = elu(self.inner.propagate(edges, x=projected, attention=inner))
        mean, dispersion, dropout = (head(h, edges, outer)[0] for head in self.heads)
        return (
            torch.clamp(torch.exp(mean), 1e-5, 1e6) * size_factor[:, None],
            torch.clamp(softplus(dispersion), 1e-4, 1e4),
            torch.sigmoid(dropout),
        )

    def take_weights(self, state: dict[str, Tensor]) -> None:
        """Start from the weights of a ``clearspot`` model."""
        names = {"squeeze": "0", "excite": "2"}
        own = {
            f"mlp.{theirs}.{part}": state[f"gene_attention.{ours}.{part}"]
            for ours, theirs in names.items()
            for part in ("weight", "bias")
        }
        for layer in ("outer", "inner"):
            own[f"{layer}.weight"] = state[f"encoder_{layer}"]
            for side in ("receiver", "neighbour"):
                own[f"{layer}.{side}"] = state[f"scores_{layer}.{side}"]
        own |= {f"heads.{k}.weight": state[f"heads.weights.{k}"] for k in range(3)}
        self.load_state_dict(own)


def zinb_loss(x: Tensor, mean: Tensor, theta: Tensor, pi: Tensor) -> Tensor:
    """Mean negative log-likelihood, the textbook form with an epsilon."""
    eps = 1e-10
    nb = (
        torch.lgamma(theta)
        + torch.lgamma(x + 1)
        - torch.lgamma(x + theta)
        + (theta + x) * torch.log(1 + mean / (theta + eps))
        + x * (torch.log(theta + eps) - torch.log(mean + eps))
    )
    at_zero = -torch.log(pi + (1 - pi) * torch.pow(theta / (theta + mean + eps), theta) + eps)
    return torch.where(x > 0, nb - torch.log(1 - pi + eps), at_zero).mean()
