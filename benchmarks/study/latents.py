"""The latents that are compared: what a study can use, and what it could use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.dusted.params import DustedParams
from clearspot.qc.normalise import normalise
from clearspot.study.components import harmonised, principal_components, smoothed
from clearspot.study.design import plan_correction
from clearspot.study.gather import choose_variable_genes, gather_sections
from clearspot.study.joint_model import train_jointly
from clearspot.study.params import StudyParams

METHODS = {
    "pca": "principal components, as they are",
    "none": "principal components averaged over neighbours",
    "pca_harmony": "principal components, Harmony",
    "harmony": "principal components, Harmony, averaged over neighbours",
    "smoothed_harmony": "principal components averaged over neighbours, Harmony",
    "own_harmony": "the DUSTED latent of each section alone, Harmony",
    "dusted_uncorrected": "one DUSTED model of all sections without factors of batches",
    "dusted": "one DUSTED model of all sections with factors of batches",
    "dusted_harmony": "the latent of `dusted`, Harmony",
    "dusted_uncorrected_harmony": "the latent of `dusted_uncorrected`, Harmony",
}


@dataclass(frozen=True)
class Sections:
    """The sections of a series together.

    Parameters
    ----------
    adata
        Spots of all sections.
    section
        Section of each spot.
    codes
        Batch of each section that is corrected.
    batch
        Batch of each spot.
    """

    adata: ad.AnnData
    section: NDArray[np.intp]
    codes: NDArray[np.intp]

    @property
    def batch(self) -> NDArray[np.intp]:
        """Batch of each spot."""
        return self.codes[self.section]


def gathered(files: Sequence[Path], name: str, params: StudyParams) -> Sections:
    """Read the sections as the step does."""
    adata, design, _ = gather_sections(files, name)
    choose_variable_genes(adata, params.n_top_genes)
    adata.obs[keys.TOTAL_COUNTS] = np.asarray(adata.layers[keys.COUNTS].sum(axis=1), dtype=np.float64).ravel()
    adata.obs[keys.QC_PASS] = True
    normalise(adata)
    section = pd.Categorical(adata.obs[keys.SAMPLE_ID], categories=design.sections).codes.astype(np.intp)
    return Sections(adata, section, plan_correction(design).codes)


def latents(
    study: Sections, params: StudyParams, dusted: DustedParams, wanted: Sequence[str]
) -> Iterator[tuple[str, NDArray[np.floating], float | None]]:
    """Give the name of each method, its latent, and the share of the held-out deviance that its model explains."""
    graph, seed = study.adata.obsp[keys.CONNECTIVITIES], params.seed
    dusted = replace(dusted, seed=seed)
    components = principal_components(study.adata, params.n_components, seed)
    cheap = {
        "pca": lambda: components,
        "none": lambda: smoothed(components, graph),
        "pca_harmony": lambda: harmonised(components, study.batch, seed),
        "harmony": lambda: smoothed(harmonised(components, study.batch, seed), graph),
        "smoothed_harmony": lambda: harmonised(smoothed(components, graph), study.batch, seed),
    }
    for name, made in cheap.items():
        if name in wanted:
            yield name, made(), None
    if "own_harmony" in wanted:
        yield "own_harmony", harmonised(_own(study, dusted), study.batch, seed), None
    for name, codes in (("dusted", study.codes), ("dusted_uncorrected", np.zeros_like(study.codes))):
        if name in wanted or f"{name}_harmony" in wanted:
            model = train_jointly(study.adata, name, study.section, codes, dusted)
            explained = model.metrics.get("heldout_explained_dusted")
            yield name, model.latent, explained
            yield f"{name}_harmony", harmonised(model.latent, study.batch, seed), explained


def _own(study: Sections, dusted: DustedParams) -> NDArray[np.float32]:
    """The latent of a model of each section."""
    parts = {}
    for code in np.unique(study.section):
        rows = np.flatnonzero(study.section == code)
        alone = study.adata[rows].copy()
        parts[code] = train_jointly(alone, str(code), np.zeros(len(rows), np.intp), np.zeros(1, np.intp), dusted).latent
    width = min(part.shape[1] for part in parts.values())
    joined = np.empty((study.adata.n_obs, width), dtype=np.float32)
    for code, part in parts.items():
        joined[study.section == code] = part[:, :width]
    return joined
