"""Intercepts that make every gene's expected total the one that was counted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from clearspot.dusted.inference import means
from clearspot.dusted.model import Dusted
from clearspot.dusted.section import Section
from clearspot.dusted.tiles import Tile


def keep_gene_totals(model: Dusted, section: Section, tiles: Iterable[Tile], device: torch.device) -> None:
    """Shift the mean's intercepts so that expected and measured total agree for every gene, in place.

    With everything else as it is this is the intercepts' maximum-likelihood value for Poisson counts. Without it a
    denoised section would hold more or fewer counts than the measured one, by what training had not settled yet.

    Parameters
    ----------
    model
        Left alone if it has no intercepts.
    section
        What it was trained on; genes without a count there keep their intercepts.
    tiles, device
        How the section is taken through it.
    """
    if model.heads.biases is None:
        return
    expected, counted = np.zeros(section.n_genes), np.zeros(section.n_genes)
    for block in means(model, section, tiles, device):
        expected += block.expected.sum(axis=0, dtype=np.float64)
        counted += np.asarray(section.counts[block.spots].sum(axis=0, dtype=np.float64)).ravel()
    shift = np.zeros(section.n_genes)
    seen = (counted > 0) & (expected > 0)
    shift[seen] = np.log(counted[seen] / expected[seen])
    with torch.no_grad():
        intercepts = model.heads.biases[0]
        intercepts += torch.from_numpy(shift).to(intercepts)
