"""Made-up sections of a study: stripes of tissue with programs of their own, batches and conditions planted."""

from __future__ import annotations

from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.qc.hvg import select_hvgs
from clearspot.qc.normalise import normalise

N_DOMAINS = 3


def made_section(
    sample: str,
    *,
    seed: int = 0,
    batch_effect: float = 0.0,
    effect_of: int = 0,
    side: int = 12,
    n_genes: int = 120,
    depth: float = 600.0,
    widths: tuple[float, ...] = (1.0, 1.0, 1.0),
    changed: dict[int, float] | None = None,
    donor_noise: float = 0.0,
    **stated: str,
) -> ad.AnnData:
    """A square of spots in stripes of three tissues.

    Parameters
    ----------
    batch_effect
        Standard deviation of the logarithm of the batch's factor of each gene; ``effect_of`` says which factors.
    widths
        Of the stripes, relative.
    changed
        Gene -> what its rate is multiplied by, in the first tissue only.
    donor_noise
        Standard deviation of the logarithm of this section's own factor of each gene.
    stated
        Columns of the samplesheet.
    """
    rng = np.random.default_rng(seed)
    tissues = np.random.default_rng(1).gamma(0.6, 1.0, size=(N_DOMAINS, n_genes)) + 0.05
    factors = np.exp(np.random.default_rng(100 + effect_of).normal(0, batch_effect, n_genes)) if batch_effect else 1.0
    row, column = np.divmod(np.arange(side * side), side)
    edges = np.cumsum(widths) / np.sum(widths)
    tissue = np.searchsorted(edges, (column + 0.5) / side)
    rates = tissues[tissue] * factors * np.exp(rng.normal(0, donor_noise, n_genes))
    for gene, times in (changed or {}).items():
        rates[tissue == 0, gene] *= times
    depths = depth * rng.lognormal(0, 0.2, len(tissue))
    counts = rng.poisson(rates / tissues.sum(axis=1).mean() * depths[:, None])
    names = [f"gene_{number}" for number in range(n_genes)]
    adata = ad.AnnData(
        obs=pd.DataFrame(index=[f"spot_{number}" for number in range(len(tissue))]),
        var=pd.DataFrame({keys.GENE_IDS: names, keys.GENE_PASS: True}, index=names),
        layers={keys.COUNTS: csr_matrix(counts.astype(np.float32))},
    )
    adata.obs["tissue"] = pd.Categorical([f"tissue_{code}" for code in tissue])
    adata.obs[keys.SAMPLE_ID] = pd.Categorical([sample] * adata.n_obs)
    adata.obs[keys.QC_PASS] = True
    adata.obs[keys.TOTAL_COUNTS] = counts.sum(axis=1).astype(float)
    for name, value in stated.items():
        adata.obs[name] = pd.Categorical([value] * adata.n_obs)
    adata.obsm[keys.SPATIAL] = np.column_stack([column, row]).astype(float) * 100
    near = np.abs(row[:, None] - row) + np.abs(column[:, None] - column) == 1
    adata.obsp[keys.CONNECTIVITIES] = csr_matrix(near.astype(np.float64))
    adata.uns[keys.UNS_SPATIAL] = {sample: {"scalefactors": {"spot_diameter_fullres": 60.0}}}
    normalise(adata)
    select_hvgs(adata, np.ones(n_genes, dtype=bool), 80)
    return adata


def write_sections(folder: Path, *sections: ad.AnnData) -> list[Path]:
    """Write each as ``<sample>.h5ad``; the samplesheet's columns come along."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for adata in sections:
        files.append(folder / keys.h5ad_name(str(adata.obs[keys.SAMPLE_ID].iloc[0])))
        adata.write_h5ad(files[-1])
    return files


def measured_as(adata: ad.AnnData, unit: str, um_per_px: float, turn: float = 0.0) -> ad.AnnData:
    """Make a section one of ``spots``, ``bins`` of 10 µm, or ``cells``, 10 µm apart, in an image of this scale.

    Cells are diamonds that reach 4 µm from their centres; their outlines stand in another order than the cells, and the
    number of each is that of its row plus 1.

    Parameters
    ----------
    turn
        Angle by which the lattice is turned, in radians.
    """
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    adata.obsm[keys.SPATIAL] = adata.obsm[keys.SPATIAL] / 100 * 10 / um_per_px @ turned + 500
    adata.uns[keys.UNS] = {keys.UNIT: unit, keys.MICRONS_PER_PIXEL: um_per_px}
    (library,) = adata.uns[keys.UNS_SPATIAL].values()
    library["scalefactors"] |= {keys.MICRONS_PER_PIXEL: um_per_px}
    if unit == "bins":
        library["scalefactors"] |= {keys.BIN_SIZE_UM: 10.0}
    if unit == "cells":
        numbers = np.arange(1, adata.n_obs + 1)
        adata.obs_names = [f"cellid_{number:09d}-1" for number in numbers]
        diamond = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]]) * 4 / um_per_px
        rings = (adata.obsm[keys.SPATIAL][:, None] + diamond)[::-1]
        offsets = 5 * np.arange(adata.n_obs + 1)
        outlines = {"ids": numbers[::-1], "offsets": offsets, "xy": rings.reshape(-1, 2)}
        adata.uns[keys.UNS][keys.OUTLINES] = {"cells": outlines}
    return adata
