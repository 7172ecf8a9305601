"""A deep count autoencoder in DCA's manner (Eraslan et al. 2019): no graph, 64-32-64, negative binomial."""

from __future__ import annotations

import numpy as np
import torch
from sections import Case
from torch import nn
from torch.nn.functional import softplus

from methods.common import Denoised, log_rates

EPOCHS = 300
PATIENCE = 15
BATCH = 32
VALIDATION = 0.1
LEARNING_RATE = 1e-3
CLIP = 5.0


class CountAutoencoder(nn.Module):
    """Batch normalisation and ReLU in the hidden layers, mean and dispersion out."""

    def __init__(self, n_genes: int):
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in ((n_genes, 64), (64, 32), (32, 64)):
            layers += [nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.mean, self.dispersion = nn.Linear(64, n_genes), nn.Linear(64, n_genes)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.body(x)
        return self.mean(hidden).clamp(-11, 13).exp(), softplus(self.dispersion(hidden)).clamp(1e-4, 1e4)


def dca(case: Case, seed: int) -> list[Denoised]:
    """Trained on standardised log data with RMSprop, stopped on a tenth of the spots, as DCA's defaults are."""
    torch.manual_seed(seed)
    data = log_rates(case.section)
    x = torch.from_numpy((data - data.mean(0)) / np.maximum(data.std(0), 1e-6))
    counts = torch.from_numpy(case.section.counts.toarray())
    depth = torch.from_numpy(case.section.size_factor.astype(np.float32))[:, None]
    order = torch.randperm(len(x))
    n_validation = max(2, int(VALIDATION * len(x)))
    validation, training = order[:n_validation], order[n_validation:]
    model = CountAutoencoder(x.shape[1])
    optimizer = torch.optim.RMSprop(model.parameters(), lr=LEARNING_RATE)

    def loss_of(rows: torch.Tensor) -> torch.Tensor:
        mean, theta = model(x[rows])
        mean, y = mean * depth[rows], counts[rows]
        log_sum = (theta + mean).log()
        return (
            torch.lgamma(theta) - torch.lgamma(theta + y) - theta * (theta.log() - log_sum) - y * (mean.log() - log_sum)
        ).mean()

    best, best_state, since = float("inf"), model.state_dict(), 0
    for _ in range(EPOCHS):
        model.train()
        for rows in training[torch.randperm(len(training))].split(BATCH):
            if len(rows) < 2:
                continue
            optimizer.zero_grad()
            loss_of(rows).backward()
            nn.utils.clip_grad_value_(model.parameters(), CLIP)
            optimizer.step()
        model.eval()
        with torch.no_grad():
            score = float(loss_of(validation))
        since += 1
        if score < best:
            best, since = score, 0
            best_state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        if since >= PATIENCE:
            break
    model.load_state_dict(best_state)
    model.eval()
    with torch.no_grad():
        rates, latent = model(x)[0].numpy(), model.body[:6](x).numpy()
    return [Denoised(rates.astype(np.float64), latent)]
