"""DUSTED as users get it, with the paper's settings, and without gene channel attention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sections import Case

from clearspot.dusted.batches import SPOTS_PER_STEP
from clearspot.dusted.from_anndata import Source
from clearspot.dusted.inference import embed, means
from clearspot.dusted.params import DustedParams, Preset
from clearspot.dusted.run import Run
from clearspot.dusted.section import Section, input_scale
from methods.averages import within_hops
from methods.common import Denoised


def denoise(case: Case, seed: int, preset: Preset = "default", **settings: Any) -> list[Denoised]:
    """Train on the case; the denoised values first, and as a second variant the distribution's mean."""
    params = DustedParams.preset(preset, seed=seed, precision="auto", **settings)
    section = as_given_to_the_model(case.section, params)
    source = Source(section, np.arange(section.n_spots), np.arange(section.n_genes))
    run = Run(source, case.name, params, torch.device("cpu"))
    model, _, _ = run.train(None, None, None, False)
    scale, latent = 1 / (1 - params.holdout), embed(model, section, run.tiles, run.device).latent
    answers = []
    for posterior in dict.fromkeys((params.posterior, False)):
        expected, mean = (np.zeros((section.n_spots, section.n_genes)) for _ in range(2))
        for block in means(model, section, run.tiles, run.device, posterior=posterior, scale=scale):
            expected[block.spots], mean[block.spots] = block.expected, block.mean
        name = "posterior" if posterior else "mean"
        answers.append(Denoised(mean / section.size_factor[:, None], latent, name))
        if params.likelihood == "zinb":
            answers.append(Denoised(expected / section.size_factor[:, None], latent, f"{name} less drop-out"))
    return answers


def as_given_to_the_model(section: Section, params: DustedParams) -> Section:
    """The section with the input that these settings ask for; cases are read with those of the default."""
    scale = section.input_scale
    if params.normalise_over == "modelled":
        scale = input_scale(np.asarray(section.counts.sum(axis=1)).ravel(), params.target_sum)
    return replace(section, log_input=params.input == "log", input_scale=scale)


def dusted_default(case: Case, seed: int) -> list[Denoised]:
    return denoise(case, seed)


def dusted_paper(case: Case, seed: int) -> list[Denoised]:
    return denoise(case, seed, "paper")


def dusted_no_gene_attention(case: Case, seed: int) -> list[Denoised]:
    """The paper's ablation, of the default."""
    return denoise(case, seed, gene_attention=False)


def _over_hops(case: Case, seed: int, hops: int) -> list[Denoised]:
    graph = within_hops(case.section.graph, hops).astype(case.section.graph.dtype)
    graph.sort_indices()
    return denoise(replace(case, section=replace(case.section, graph=graph)), seed)


def dusted_2_hops(case: Case, seed: int) -> list[Denoised]:
    """With all spots within two hops as neighbours."""
    return _over_hops(case, seed, 2)


def dusted_3_hops(case: Case, seed: int) -> list[Denoised]:
    """With all spots within three hops as neighbours."""
    return _over_hops(case, seed, 3)


def dusted_batches(case: Case, seed: int) -> list[Denoised]:
    """Trained in batches, at their learning rate, as only sections of more than 20,000 spots are by default."""
    return denoise(case, seed, spots_per_step=SPOTS_PER_STEP)
