"""From the sections of a study to its shared latent, domains and differences."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.caller import option
from clearspot.dusted.params import DustedParams
from clearspot.errors import BadInputError, Problem
from clearspot.metrics.agreement import silhouette
from clearspot.qc.normalise import normalise
from clearspot.record import StepRecord
from clearspot.study.comparison import Comparison, plan_comparison
from clearspot.study.components import harmonised, principal_components, smoothed
from clearspot.study.composition import compare_composition
from clearspot.study.design import Design, plan_correction
from clearspot.study.differences import compare_genes
from clearspot.study.gather import choose_variable_genes, gather_sections
from clearspot.study.joint_model import train_jointly
from clearspot.study.markers import shared_markers
from clearspot.study.mixing import mixing
from clearspot.study.params import StudyParams
from clearspot.study.shared_domains import domain_counts, find_shared_domains
from clearspot.version import versions

STEP = "study"

SIGNIFICANT = 0.05

USE_DUSTED = ("dusted_harmony", "dusted")
"""Integrations with a model of all sections."""

USE_COMPONENTS = ("harmony", "pca_harmony")
"""Integrations of principal components by Harmony."""

_TABLED_GENES = 500
"""Rows of the table of differences that the record has; the file has all."""


@dataclass
class StudyResult:
    """What came of a study.

    Parameters
    ----------
    adata
        Spots of all sections: latents, domains, positions and graph. It still has the counts.
    record
        Record of the step ``study``.
    design
        What the samplesheet says of the sections.
    differences
        Every gene compared between conditions; ``None`` where nothing could be compared.
    """

    adata: ad.AnnData
    record: StepRecord
    design: Design
    differences: pd.DataFrame | None


def integrate_study(
    files: Sequence[Path],
    study: str,
    params: StudyParams | None = None,
    dusted: DustedParams | None = None,
    *,
    n_expected: int | None = None,
    checkpoint: Path | None = None,
) -> StudyResult:
    """Integrate the sections of a study, find the domains that they share, and compare conditions.

    Parameters
    ----------
    files
        One ``.h5ad`` a section, after quality control and the graph. The columns ``batch``, ``donor`` and
        ``condition`` of ``obs`` say what is compared.
    study
        Name of the study.
    params, dusted
        Settings of the study, and of DUSTED where it is what integrates; the seed is the study's.
    n_expected
        Sections that the samplesheet has of the study.
    checkpoint
        File for the trained model.

    Raises
    ------
    BadInputError
        If fewer than two sections are left, their genes have too little in common, or the settings of DUSTED have no
        intercepts, which the factors of batches are added to.
    """
    params, began = params or StudyParams(), time.perf_counter()
    dusted = replace(dusted or DustedParams(), seed=params.seed)
    _require_intercepts(study, params, dusted)
    adata, design, messages = gather_sections(files, study, n_expected)
    record = StepRecord(study, STEP, params=params.as_dict(), messages=messages)
    choose_variable_genes(adata, params.n_top_genes)
    adata.obs[keys.TOTAL_COUNTS] = np.asarray(adata.layers[keys.COUNTS].sum(axis=1), dtype=np.float64).ravel()
    adata.obs[keys.QC_PASS] = True
    normalise(adata)
    section = pd.Categorical(adata.obs[keys.SAMPLE_ID], categories=design.sections).codes.astype(np.intp)
    record.metrics |= _sizes(adata, design) | {"integration": params.integration}
    record.tables["sections"] = _sections(adata, design)
    _integrate(adata, section, design, params, dusted, record, checkpoint)
    find_shared_domains(adata, adata.obsm[keys.LATENT_STUDY], params, record)
    record.tables["markers"], record.tables["marker_profile"] = shared_markers(adata, params.n_markers, params.seed)
    differences = _compare(adata, design, params, record)
    adata.uns[keys.UNS] = {
        STEP: {name: value for name, value in record.params.items() if value is not None}
        | {"name": study, "corrected": record.metrics["batch_corrected"]},
        keys.VERSIONS: versions(["anndata", "torch", "harmonypy", "pydeseq2"]),
    }
    record.metrics["seconds_total"] = time.perf_counter() - began
    return StudyResult(adata, record, design, differences)


def _require_intercepts(study: str, params: StudyParams, dusted: DustedParams) -> None:
    if params.integration not in USE_DUSTED or dusted.gene_intercept:
        return
    preset, integration = option("preset", "dusted_preset"), option("integration", "study_integration")
    raise BadInputError(
        Problem(
            study,
            preset,
            "settings without an intercept for each gene (paper)",
            "an intercept for each gene, which the factors of the batches are added to",
            f"use {integration} harmony, or another {preset}",
        )
    )


def _integrate(
    adata: ad.AnnData,
    section: NDArray[np.intp],
    design: Design,
    params: StudyParams,
    dusted: DustedParams,
    record: StepRecord,
    checkpoint: Path | None,
) -> None:
    """Set the two latents, and measure how mixed the batches are in each."""
    graph = adata.obsp[keys.CONNECTIVITIES]
    batch = pd.factorize(design.batches)[0].astype(np.intp)
    # of a single batch, sections are what may be apart
    apart = batch[section] if batch.max() > 0 else section
    components = principal_components(adata, params.n_components, params.seed)
    # single spots where structures are finer than the distance between spots, else spots with their neighbours
    plain = components if params.integration == "pca_harmony" else smoothed(components, graph)
    plan = plan_correction(design)
    codes = plan.codes if params.integration != "none" else np.zeros_like(plan.codes)
    record.messages += plan.messages if params.integration != "none" else []
    if params.integration in USE_DUSTED:
        model = train_jointly(adata, record.sample, section, codes, dusted, checkpoint=checkpoint)
        latent = model.latent
        record.metrics |= model.metrics
        record.tables["training"] = model.training
        record.tables["batch_factors"] = _strongest(model.factors, model.genes, design)
        by_batch = pd.DataFrame(model.factors.T, index=list(model.genes), columns=design.batches.astype(str))
        adata.varm[keys.BATCH_FACTORS] = by_batch.loc[:, ~by_batch.columns.duplicated()].reindex(adata.var_names)
        adata.uns[keys.STUDY_TOTALS] = model.totals
        if params.integration == "dusted_harmony" and codes.max() > 0:
            adata.obsm[keys.LATENT_MODEL] = latent
            latent = harmonised(latent, codes[section], params.seed)
    elif params.integration in USE_COMPONENTS and codes.max() > 0:
        corrected = harmonised(components, codes[section], params.seed)
        latent = corrected if params.integration == "pca_harmony" else smoothed(corrected, graph)
    else:
        latent = plain
    adata.obsm[keys.LATENT_UNCORRECTED], adata.obsm[keys.LATENT_STUDY] = plain, latent
    record.metrics |= {
        "batch_corrected": bool(codes.max() > 0),
        "batch_confounded": plan.confounded,
        "mixing_before": mixing(plain, apart, graph, params.seed),
        "mixing_after": mixing(latent, apart, graph, params.seed),
        "batch_silhouette_before": silhouette(plain, apart, params.seed),
        "batch_silhouette_after": silhouette(latent, apart, params.seed),
    }


def _compare(adata: ad.AnnData, design: Design, params: StudyParams, record: StepRecord) -> pd.DataFrame | None:
    """Compare conditions where the design allows it; say why not where it does not."""
    plan = plan_comparison(design, params.reference_condition)
    record.metrics["compared"] = isinstance(plan, Comparison)
    if not isinstance(plan, Comparison):
        record.note("warning" if len(design.conditions) > 1 else "info", f"Conditions were not compared. {plan}")
        return None
    shares = compare_composition(domain_counts(adata), plan)
    differences, messages = compare_genes(adata, plan, params.min_spots)
    record.messages += messages
    record.tables["composition_tests"] = shares
    record.tables["differences"] = differences.head(_TABLED_GENES).to_dict(orient="list")
    record.metrics |= {
        "comparison_paired": plan.paired,
        "n_domains_changed": int((np.array(shares["p_adjusted"], dtype=float) < SIGNIFICANT).sum()),
        "n_domains_compared": int(differences["domain"].nunique()),
        "n_genes_changed": int((differences["p_adjusted"] < SIGNIFICANT).sum()),
        "n_genes_compared": int(differences["p_value"].notna().sum()),
    }
    return differences


def _sizes(adata: ad.AnnData, design: Design) -> dict[str, Any]:
    return {
        "n_sections": len(design.sections),
        "n_spots": adata.n_obs,
        "n_genes_shared": adata.n_vars,
        "n_donors": int(design.table[keys.DONOR].nunique()),
        "n_batches": int(design.batches.nunique()),
        "n_conditions": len(design.conditions),
    }


def _sections(adata: ad.AnnData, design: Design) -> dict[str, list[Any]]:
    groups = adata.obs.groupby(keys.SAMPLE_ID, observed=True)
    sizes, median = groups.size(), groups[keys.TOTAL_COUNTS].median()
    return {
        "section": design.sections,
        **{name: design.table[name].tolist() for name in (keys.BATCH, keys.DONOR, keys.CONDITION)},
        "n_spots": [int(sizes[name]) for name in design.sections],
        "median_counts": [float(median[name]) for name in design.sections],
    }


def _strongest(
    factors: NDArray[np.float32], genes: tuple[str, ...], design: Design, most: int = 30
) -> dict[str, list[Any]]:
    """Genes whose factors differ the most between sections."""
    spread = np.ptp(np.log2(factors), axis=0)
    rows = np.argsort(-spread, kind="stable")[:most]
    chosen = [int(row) for row in rows if spread[row] > 0]
    table: dict[str, list[Any]] = {"gene": [genes[row] for row in chosen]}
    return table | {name: factors[code, chosen].tolist() for code, name in enumerate(design.sections)}
