"""Gene channel attention: one weight a gene, from the gene's average and maximum over all spots."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GeneChannelAttention(nn.Module):
    r"""Gene channel attention (equation 2.1).

    .. math:: A_{gc} = \sigma(MLP(\text{avg over spots}) + MLP(\text{max over spots}))

    It pools the *input*, which training never changes: both pooled vectors are constants of the dataset. They are
    kept here as buffers, so that a tile of the section sees the attention that the whole section gives.

    Parameters
    ----------
    average, maximum
        Input expression pooled over all spots, shape ``(n_genes,)`` each.
    reduction
        The hidden layer has ``n_genes // reduction`` units, at least one.
    """

    average: Tensor
    maximum: Tensor

    def __init__(self, average: Tensor, maximum: Tensor, reduction: int = 16):
        super().__init__()
        n_genes = average.numel()
        hidden = max(1, n_genes // reduction)
        self.squeeze = nn.Linear(n_genes, hidden)
        self.excite = nn.Linear(hidden, n_genes)
        self.register_buffer("average", average.clone())
        self.register_buffer("maximum", maximum.clone())

    def forward(self) -> Tensor:
        """Attention ``A_gc`` of every gene, between 0 and 1, shape ``(n_genes,)``."""
        hidden = torch.relu(self.squeeze(torch.stack([self.average, self.maximum])))
        return torch.sigmoid(self.excite(hidden).sum(dim=0))


def residual_gate(attention: Tensor, alpha: float) -> Tensor:
    r"""The factor ``1 + alpha * A_gc`` of every gene in the residual connection (equation 2.2).

    .. math:: X' = X + \alpha\,(A_{gc} \odot X) = X\,\mathrm{diag}(1 + \alpha A_{gc})

    Being a diagonal on the gene side, it is folded into the first layer's weight, ``X' W = X (diag(g) W)``: the product
    with the spots is then free of it, and so is its gradient.

    Parameters
    ----------
    attention
        ``A_gc``, shape ``(n_genes,)``.
    alpha
        Weight of the residual connection.
    """
    return 1.0 + alpha * attention
