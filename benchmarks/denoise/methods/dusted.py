"""DUSTED as users get it, with the paper's settings, and without gene channel attention."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sections import Case

from clearspot.dusted.from_anndata import Source
from clearspot.dusted.inference import embed, means
from clearspot.dusted.params import DustedParams, Preset
from clearspot.dusted.run import Run
from methods.common import Denoised


def denoise(case: Case, seed: int, preset: Preset = "default", **settings: Any) -> list[Denoised]:
    """Train on the case; expected counts (mean less drop-out) and, as a second variant, the mean itself."""
    params = DustedParams.preset(preset, seed=seed, precision="auto", **settings)
    section = case.section
    source = Source(section, np.arange(section.n_spots), np.arange(section.n_genes))
    run = Run(source, case.name, params, torch.device("cpu"))
    model, _, _ = run.train(None, None, None, False)
    expected, mean = (np.zeros((section.n_spots, section.n_genes)) for _ in range(2))
    for block in means(model, section, run.tiles, run.device):
        expected[block.spots], mean[block.spots] = block.expected, block.mean
    scale = 1 / (1 - params.holdout) / section.size_factor[:, None]
    latent = embed(model, section, run.tiles, run.device).latent
    return [Denoised(expected * scale, latent, "expected counts"), Denoised(mean * scale, latent, "mean")]


def dusted_default(case: Case, seed: int) -> list[Denoised]:
    return denoise(case, seed)


def dusted_paper(case: Case, seed: int) -> list[Denoised]:
    return denoise(case, seed, "paper")


def dusted_no_gene_attention(case: Case, seed: int) -> list[Denoised]:
    """The paper's ablation, of the default."""
    return denoise(case, seed, gene_attention=False)
