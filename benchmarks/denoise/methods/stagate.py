"""A graph attention autoencoder in STAGATE's manner (Dong and Zhang 2022), on torch-geometric's layers."""

from __future__ import annotations

import numpy as np
import torch
from sections import Case
from torch import nn
from torch.nn.functional import elu, mse_loss
from torch_geometric.nn import GATConv, SimpleConv

from methods.common import Denoised, from_log, log_rates

EPOCHS = 500
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-4
CLIP_NORM = 5.0
HIDDEN, LATENT = 512, 30


class GraphAutoencoder(nn.Module):
    """STAGATE's four layers, 512 and 30 wide: the way out has the way in's weights, transposed, and its attention."""

    def __init__(self, n_genes: int):
        super().__init__()
        self.encoder = GATConv(n_genes, HIDDEN, bias=False)
        self.to_latent = nn.Linear(HIDDEN, LATENT, bias=False)
        self.aggregate = SimpleConv(aggr="sum")

    def forward(self, x: torch.Tensor, edges: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, (with_loops, attention) = self.encoder(x, edges, return_attention_weights=True)
        latent = self.to_latent(elu(hidden))
        back = elu(self.aggregate(latent @ self.to_latent.weight, with_loops, attention.squeeze(1)))
        return latent, back @ self.encoder.lin.weight


def embed(log_data: np.ndarray, case: Case, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Latent values and reconstruction of any log expression on the case's graph."""
    torch.manual_seed(seed)
    x = torch.from_numpy(log_data.astype(np.float32))
    edges = torch.from_numpy(np.stack(case.section.graph.nonzero()).astype(np.int64))
    model = GraphAutoencoder(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(EPOCHS):
        optimizer.zero_grad()
        loss = mse_loss(model(x, edges)[1], x)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
    with torch.no_grad():
        latent, output = model(x, edges)
    return latent.numpy(), output.numpy()


def stagate(case: Case, seed: int) -> list[Denoised]:
    """Trained on the log data by mean squared error."""
    latent, output = embed(log_rates(case.section), case, seed)
    return [Denoised(from_log(output, case.section), latent)]
