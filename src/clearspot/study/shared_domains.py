"""Domains that all sections of a study share."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearspot import keys
from clearspot.display.palette import colours
from clearspot.domains.components import leading_components
from clearspot.domains.gmm import gmm_domains
from clearspot.domains.labels import by_size, categorical
from clearspot.record import StepRecord
from clearspot.study.params import StudyParams

SURE: Final = 0.9
"""Assignments below this probability are counted as unsure."""

OF_ONE_SECTION: Final = 0.99
"""Share of a domain's spots in one section from which on the domain is reported as that section's own."""


def find_shared_domains(
    adata: ad.AnnData, latent: NDArray[np.floating], params: StudyParams, record: StepRecord
) -> None:
    """Cluster the spots of all sections together, in place.

    Sets ``obs['domain_study']`` (``1``, ``2``, ... from the largest), ``obs['domain_study_probability']`` and
    ``uns['domain_study_colors']``; metrics, tables and messages go to ``record``.
    """
    mixture = gmm_domains(leading_components(latent), params.n_domains, params.max_domains, params.seed)
    codes = by_size(mixture.codes)
    adata.obs[keys.DOMAIN_STUDY] = categorical(codes, np.arange(adata.n_obs), adata.n_obs)
    adata.obs[keys.DOMAIN_STUDY_PROBABILITY] = mixture.probability.astype(np.float32)
    names = list(adata.obs[keys.DOMAIN_STUDY].cat.categories)
    shades = colours(names)
    adata.uns[keys.colours_of(keys.DOMAIN_STUDY)] = np.array([shades[name] for name in names])
    if mixture.bic:
        record.tables["bic"] = {"n_domains": list(mixture.bic), "bic": list(mixture.bic.values())}
    if mixture.still_falling:
        record.note(
            "info",
            f"The data do not suggest a clear number of shared domains: BIC still decreases at {max(mixture.bic)}. The "
            "knee of the BIC curve was used.",
        )
    counts = domain_counts(adata)
    own = _of_one_section(counts)
    for domain, section in own.items():
        record.note("info", f"Domain {domain} is found in {section} only.")
    record.metrics |= {
        "n_domains": len(names),
        "n_domains_of_one_section": len(own),
        "assignment_probability_median": float(np.median(mixture.probability)),
        "fraction_assigned_surely": float((mixture.probability >= SURE).mean()),
    }
    record.tables["composition"] = _long(counts, adata)


def domain_counts(adata: ad.AnnData) -> pd.DataFrame:
    """Number of spots, a row a section and a column a domain."""
    found: pd.DataFrame = pd.crosstab(adata.obs[keys.SAMPLE_ID], adata.obs[keys.DOMAIN_STUDY], dropna=False)
    return found


def _of_one_section(counts: pd.DataFrame) -> dict[str, str]:
    share = counts / counts.sum(axis=0)
    return {str(name): str(share[name].idxmax()) for name in counts if share[name].max() >= OF_ONE_SECTION}


def _long(counts: pd.DataFrame, adata: ad.AnnData) -> dict[str, list[Any]]:
    """A row a section and domain, with the mean probability of the assignments."""
    groups = adata.obs.groupby([keys.SAMPLE_ID, keys.DOMAIN_STUDY], observed=False)
    probability = groups[keys.DOMAIN_STUDY_PROBABILITY].mean()
    totals = counts.sum(axis=1)
    table: dict[str, list[Any]] = {name: [] for name in ("section", "domain", "n_spots", "fraction", "probability")}
    for section in counts.index:
        for domain in counts.columns:
            number = int(counts.loc[section, domain])
            values = (str(section), str(domain), number, number / totals[section], float(probability[section, domain]))
            for name, value in zip(table, values, strict=True):
                table[name].append(value)
    return table
