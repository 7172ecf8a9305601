"""Spatial domains of one sample, their markers, and the spatial genes."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, NamedTuple

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.caller import option
from clearspot.contract.counts import require_finite, require_in_memory
from clearspot.contract.places import place_of
from clearspot.contract.sections import require_one_section
from clearspot.domains.colours import add_colours
from clearspot.domains.components import leading_components
from clearspot.domains.embedding import choose_embedding
from clearspot.domains.gmm import gmm_domains
from clearspot.domains.labels import by_size, categorical, majority_vote
from clearspot.domains.leiden import leiden_domains
from clearspot.domains.markers import domain_column, marker_genes, marker_profile
from clearspot.domains.params import DomainParams, Method
from clearspot.domains.spatial_genes import spatial_genes
from clearspot.metrics.agreement import label_agreement, neighbour_agreement, silhouette
from clearspot.qc.passing import passing_spots
from clearspot.record import StepRecord


class _MethodMetrics(NamedTuple):
    """Names of the metrics that describe one method's domains."""

    number: str
    silhouette: str
    neighbour_agreement: str
    neighbour_agreement_by_chance: str


_METRICS_OF: Final[dict[Method, _MethodMetrics]] = {
    "gmm": _MethodMetrics(
        "n_domain_gmm",
        "silhouette_domain_gmm",
        "neighbour_agreement_domain_gmm",
        "neighbour_agreement_by_chance_domain_gmm",
    ),
    "leiden": _MethodMetrics(
        "n_domain_leiden",
        "silhouette_domain_leiden",
        "neighbour_agreement_domain_leiden",
        "neighbour_agreement_by_chance_domain_leiden",
    ),
}

_MORAN_MEDIAN: Final = {
    "measured": "moran_median_measured",
    "denoised": "moran_median_denoised",
    "neighbour_mean": "moran_median_neighbour_mean",
    "neighbour_mean_shuffled": "moran_median_neighbour_mean_shuffled",
}
"""Column of the table of Moran's I -> metric of its median over the genes."""

_MOST_DOMAINS: Final = 100
"""Maximum number of domains that can be requested."""

_BOTH_UP_TO: Final = 100_000
"""Maximum number of passing spots for which the other method runs as well, for comparison."""


def find_domains(
    adata: ad.AnnData, sample: str, params: DomainParams | None = None, *, denoised_file: Path | str | None = None
) -> StepRecord:
    """Add spatial domains to ``adata``, in place, and measure them.

    Sets ``obs['domain_gmm']`` and ``obs['domain_leiden']``: categories ``1``, ``2``, ... from the largest, missing for
    spots that failed quality control. Their colours are in ``uns['domain_gmm_colors']`` and
    ``uns['domain_leiden_colors']``.

    Parameters
    ----------
    adata
        After the denoiser: ``obsm['X_dusted']``, ``obsm['dusted_training']`` (to choose the embedding),
        ``obsm['dusted_shuffled']`` (for what is found by chance), ``layers['denoised']``, the graph, ``X``.
    sample
        Sample name.
    params
        Method, numbers, seed.
    denoised_file
        Denoised values, where they are too large for a layer.

    Returns
    -------
    Record of the step ``domains``.

    Raises
    ------
    BadInputError
        There are several sections, flags cannot be read, or ``X`` or the latent of a passing spot is not finite.
    """
    params = params or DomainParams()
    record = StepRecord(sample, "domains", params=asdict(params))
    require_in_memory(adata, sample)
    require_one_section(adata, sample, "The search for domains")
    require_finite(adata.X, "X", sample)
    rows = np.flatnonzero(passing_spots(adata, sample))
    embedding, latent = choose_embedding(adata, rows, sample, params, record)
    graph = csr_matrix(adata.obsp[keys.CONNECTIVITIES])[rows][:, rows]
    other: Method = "leiden" if params.method == "gmm" else "gmm"
    for method in (params.method, other):
        if method == params.method or rows.size <= _BOTH_UP_TO:
            codes = by_size(_cluster(method, latent, graph, params, record))
            adata.obs[domain_column(method)] = categorical(codes, rows, adata.n_obs)
            _measure(record, method, codes, latent, graph, params.seed)
            if embedding == "dusted":
                _measure_chance(adata, rows, record, method, graph, params)
            else:
                _measure_shuffled(record, method, codes, graph, params)
        else:
            many = f"{rows.size} {place_of(adata)}s are more than {_BOTH_UP_TO}"
            record.note("info", f"{other} was skipped, because {many}.")
    main = domain_column(params.method)
    record.metrics["main"] = main
    record.metrics["n_domains"] = record.metrics[_METRICS_OF[params.method].number]
    if domain_column(other) in adata.obs:
        agreement = label_agreement(adata.obs[main], adata.obs[domain_column(other)])
        record.metrics["ari_gmm_leiden"] = agreement["ari"]
    record.tables["markers"], small = marker_genes(adata, main, params.n_markers, params.seed)
    record.tables["marker_profile"] = marker_profile(adata, main, record.tables["markers"])
    for name in small:
        record.note("info", f"Domain {name} has too few {place_of(adata)}s to test for marker genes.")
    record.tables["moran"] = spatial_genes(adata, params, denoised_file)
    _summarise_moran(record, place_of(adata))
    add_colours(adata)
    adata.uns.setdefault(keys.UNS, {})["domains"] = {
        name: value for name, value in record.params.items() if value is not None
    } | {"main": main}
    return record


def _cluster(
    method: Method, latent: NDArray[np.floating], graph: csr_matrix, params: DomainParams, record: StepRecord
) -> NDArray[np.intp]:
    """Labels by one method; says in the record how their number came about."""
    if method == "gmm":
        mixture = gmm_domains(latent, params.n_domains, params.max_domains, params.seed)
        codes = mixture.codes
        if mixture.bic:
            record.tables["bic"] = {"n_domains": list(mixture.bic), "bic": list(mixture.bic.values())}
        if mixture.still_falling:
            record.note(
                "info",
                f"The data do not suggest a clear number of domains: BIC still decreases at {max(mixture.bic)}. The "
                f"knee of the BIC curve was used. Set {option('n_domains')} if you know the number of domains.",
            )
    else:
        communities = leiden_domains(latent, params.n_domains, params.resolution, params.seed)
        codes = communities.codes
        record.metrics["leiden_resolution"] = communities.resolution
        number = np.unique(codes).size
        if params.n_domains is not None and number != params.n_domains:
            record.note(
                "info", f"Leiden finds {number} domains at the resolution closest to the {params.n_domains} requested."
            )
    return majority_vote(codes, graph) if params.refine else codes


def _measure(
    record: StepRecord,
    method: Method,
    codes: NDArray[np.intp],
    latent: NDArray[np.floating],
    graph: csr_matrix,
    seed: int,
) -> None:
    name = domain_column(method)
    sizes = np.bincount(codes)
    metrics = _METRICS_OF[method]
    record.metrics |= {
        metrics.number: int(sizes.size),
        metrics.silhouette: silhouette(latent, codes, seed),
        metrics.neighbour_agreement: neighbour_agreement(graph, codes),
    }
    record.tables[f"sizes_{name}"] = {"domain": [str(i + 1) for i in range(sizes.size)], "n_spots": sizes.tolist()}


def _measure_chance(
    adata: ad.AnnData,
    rows: NDArray[np.intp],
    record: StepRecord,
    method: Method,
    graph: csr_matrix,
    params: DomainParams,
) -> None:
    """The agreement with neighbours that the whole chain reaches where nothing lies together.

    The denoiser mixes neighbours, so a clustering of its latent is compact whatever it is given; labels strewn anywhere
    would make every result look good. So as many domains are sought in the same way in the latent of shuffled spots.
    """
    metrics = _METRICS_OF[method]
    latent = np.asarray(adata.obsm.get(keys.LATENT_SHUFFLED, np.full((adata.n_obs, 1), np.nan)))[rows]
    if not np.isfinite(latent).all():
        if method == params.method:
            record.note(
                "info",
                f"There is no obsm['{keys.LATENT_SHUFFLED}'], so the neighbour agreement by chance was not measured.",
            )
        return
    number = int(record.metrics[metrics.number])
    if number == 1:
        record.metrics[metrics.neighbour_agreement_by_chance] = 1.0
        return
    alike = replace(params, n_domains=number if number <= _MOST_DOMAINS else None)
    unsaid = StepRecord(record.sample, record.step)
    codes = _cluster(method, leading_components(latent), graph, alike, unsaid)
    record.metrics[metrics.neighbour_agreement_by_chance] = neighbour_agreement(graph, codes)


def _measure_shuffled(
    record: StepRecord, method: Method, codes: NDArray[np.intp], graph: csr_matrix, params: DomainParams
) -> None:
    """The agreement with neighbours by chance, of the same labels shuffled: their embedding knows no neighbours."""
    shuffled = np.random.default_rng(params.seed).permutation(codes)
    if params.refine:
        shuffled = majority_vote(shuffled, graph)
    record.metrics[_METRICS_OF[method].neighbour_agreement_by_chance] = neighbour_agreement(graph, shuffled)


def _summarise_moran(record: StepRecord, place: str) -> None:
    table = record.tables["moran"]
    record.metrics["moran_n_genes"] = len(table["gene"])
    for column, metric in _MORAN_MEDIAN.items():
        values = np.array(table.get(column, []), dtype=float)
        if np.isfinite(values).any():
            record.metrics[metric] = float(np.nanmedian(values))
    if "q_measured" in table:
        record.metrics["moran_n_significant_measured"] = int((np.array(table["q_measured"], dtype=float) < 0.05).sum())
    if "denoised" not in table:
        record.note("info", "There are no denoised values, so Moran's I after denoising was not measured.")
    else:
        record.note(
            "info",
            "Smoothing alone raises Moran's I. Judge denoising by held-out counts, and compare its Moran's I only "
            f"with that of the neighbour mean, of the original and of shuffled {place}s.",
        )
