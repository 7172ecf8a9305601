"""The dispersion's start: from the spread of the counts about the model's mean."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from clearspot.distributions.moments import shrunk_dispersion
from clearspot.dusted.inference import means
from clearspot.dusted.model import Dusted
from clearspot.dusted.section import Section
from clearspot.dusted.tiles import Tile

PRIOR_WEIGHT = 20.0
"""Squared expected counts that the average gene's spread counts for beside a gene's own."""

SPREAD_BOUNDS = (1e-3, 1e2)


def start_dispersions(model: Dusted, section: Section, tiles: Iterable[Tile], device: torch.device) -> None:
    """Set the dispersion's intercepts by the method of moments, in place.

    Under NB the squared residuals of a gene exceed its counts by ``mean**2 / Theta`` in expectation. Genes with few
    counts are drawn to the ratio of all genes together. ``Theta`` moves slowly in training, and wrong by a factor of
    ten it weighs the counts wrongly for as long.

    Parameters
    ----------
    model
        With intercepts; its mean as it stands is taken.
    section
        What it will be trained on.
    tiles, device
        How the section is taken through it.
    """
    if model.heads.biases is None:
        raise ValueError("a model without intercepts has no gene dispersion")
    excess, power = np.zeros(section.n_genes), np.zeros(section.n_genes)
    for block in means(model, section, tiles, device):
        mean = block.mean.astype(np.float64)
        counts = section.counts[block.spots].toarray()
        excess += ((counts - mean) ** 2 - mean).sum(axis=0)
        power += (mean**2).sum(axis=0)
    theta = torch.from_numpy(1 / moment_spread(excess, power))
    with torch.no_grad():
        intercepts = model.heads.biases[1]
        # the inverse of softplus, which is the identity far up
        intercepts.copy_(theta + torch.log(-torch.expm1(-theta)))


def moment_spread(excess: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Squared coefficient of variation of every gene's rate (``1 / Theta``), drawn towards that of all genes together.

    Parameters
    ----------
    excess
        Squared residuals less their Poisson part, summed over spots, shape ``(n_genes,)``.
    power
        Squared expectations, summed over the same spots.

    Returns
    -------
    Shape ``(n_genes,)``, within ``SPREAD_BOUNDS``.
    """
    return np.clip(shrunk_dispersion(excess, power, PRIOR_WEIGHT), *SPREAD_BOUNDS)
