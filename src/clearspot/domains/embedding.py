"""The embedding that is clustered: the denoiser's latent, or principal components of the spots' own counts."""

from __future__ import annotations

from typing import Final

import anndata as ad
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot import keys
from clearspot.contract.counts import read_counts
from clearspot.contract.places import place_of
from clearspot.contract.sections import bad_section
from clearspot.domains.components import leading_components, own_components
from clearspot.domains.gmm import gmm_domains
from clearspot.domains.params import DomainParams
from clearspot.dusted.thinning import thin_counts
from clearspot.record import StepRecord

DOMAINS: Final = 7
"""Domains by which the two embeddings are compared, if their number is not set."""

_CLUSTERINGS: Final = 3
"""Clusterings of each embedding, of whose scores the median counts: in a few hundred spots they differ."""

MARGIN: Final = 1.15
"""How much more of the held-out counts domains of the principal components must explain."""


def choose_embedding(
    adata: ad.AnnData, rows: NDArray[np.intp], sample: str, params: DomainParams, record: StepRecord
) -> tuple[str, NDArray[np.floating]]:
    """The embedding of the passing spots, and its name: ``dusted`` or ``pca``.

    The latent averages over neighbours. Where spots are few and far apart, this can hide what single spots show. So
    both embeddings are made from the counts that the denoiser was trained on, and clustered into the same number of
    domains. Principal components are used if their domains explain at least 15 % more of the deviance of the counts
    that were held out.

    Parameters
    ----------
    adata
        After the denoiser.
    rows
        Passing spots.
    sample
        Sample name.
    params
        ``embedding`` forces one.
    record
        Gets the scores, and a note if principal components are used.

    Raises
    ------
    BadInputError
        If the latent of a passing spot is not finite.
    """
    latent = np.asarray(adata.obsm[keys.LATENT])[rows]
    if not np.isfinite(latent).all():
        unknown = int((~np.isfinite(latent).all(axis=1)).sum())
        raise bad_section(
            sample,
            f"{unknown} of {rows.size} passing spots have no values in obsm['{keys.LATENT}']",
            "a latent vector for every spot that passed quality control",
            "Denoise the section again after quality control.",
        )
    chosen: str = params.embedding
    if chosen == "auto":
        chosen = _better(adata, rows, sample, params, record)
    record.metrics["domain_embedding"] = chosen
    if chosen == "dusted":
        return chosen, leading_components(latent)
    return chosen, own_components(_modelled_counts(adata, rows, sample), params.seed)


def _better(adata: ad.AnnData, rows: NDArray[np.intp], sample: str, params: DomainParams, record: StepRecord) -> str:
    made_by = adata.uns.get(keys.UNS, {}).get("dusted", {}).get("params", {})
    if keys.LATENT_TRAINING not in adata.obsm or not made_by.get("holdout"):
        return "dusted"
    latent = np.asarray(adata.obsm[keys.LATENT_TRAINING])[rows]
    if not np.isfinite(latent).all():
        return "dusted"
    fraction = float(made_by["holdout"])
    # the same draw as in the denoiser's training
    kept, held_out = thin_counts(_modelled_counts(adata, rows, sample), fraction, int(made_by["seed"]))
    number = params.n_domains or min(DOMAINS, params.max_domains)
    scores = {}
    for name, values in (("dusted", leading_components(latent)), ("pca", own_components(kept, params.seed))):
        found = [gmm_domains(values, number, seed=params.seed + start).codes for start in range(_CLUSTERINGS)]
        scores[name] = float(np.median([explained(codes, kept, held_out, fraction) for codes in found]))
    record.metrics |= {"domain_explained_dusted": scores["dusted"], "domain_explained_pca": scores["pca"]}
    if scores["pca"] <= MARGIN * max(scores["dusted"], 0.0):
        return "dusted"
    record.note(
        "info",
        f"Domains were found on principal components of the {place_of(adata)}s' own counts, whose domains explain "
        f"{scores['pca']:.2%} of the deviance of held-out counts; those of the latent explain {scores['dusted']:.2%}.",
    )
    return "pca"


def _modelled_counts(adata: ad.AnnData, rows: NDArray[np.intp], sample: str) -> sp.csr_matrix:
    modelled = adata.var.get(keys.MODELLED)
    genes = slice(None) if modelled is None else np.flatnonzero(modelled)
    counts = sp.csr_matrix(read_counts(adata, sample)[rows][:, genes], dtype=np.float32)
    counts.sort_indices()
    return counts


def explained(codes: NDArray[np.integer], kept: sp.csr_matrix, held_out: sp.csr_matrix, fraction: float) -> float:
    """Share of the held-out counts' Poisson deviance from the gene means that the domains' means explain.

    Parameters
    ----------
    codes
        Label of each spot: 0, 1, ...
    kept, held_out
        ``(spots, genes)``: counts from which the means are, and those that they are to predict.
    fraction
        Share of all counts that was held out.
    """
    ratio = fraction / (1 - fraction)
    depth = np.asarray(kept.sum(axis=1), dtype=np.float64).ravel()
    spots = np.arange(len(codes))
    member = sp.csr_matrix((np.ones(len(codes)), (codes, spots)), shape=(int(codes.max()) + 1, len(codes)))
    mean = np.asarray(kept.sum(axis=0), dtype=np.float64).ravel() / depth.sum()
    seen = mean > 0
    # one more count as expected: a gene that a small domain has none of is not impossible there
    prior = 1 / np.where(seen, mean, np.inf)
    rates = ((member @ kept).toarray() + seen) / (np.asarray(member @ depth)[:, None] + prior)
    found = held_out.tocoo()
    used = seen[found.col] & (depth[found.row] > 0)
    row, gene, count = found.row[used], found.col[used], found.data[used].astype(np.float64)
    expected = ratio * depth[row] * mean[gene]
    of_domain = ratio * depth[row] * rates[codes[row], gene]
    total = float((ratio * depth).sum() * mean.sum())
    in_domains = float(ratio * depth @ rates.sum(axis=1)[codes])
    gained = float((count * np.log(of_domain / expected)).sum()) - (in_domains - total)
    deviance = float((count * np.log(count / expected)).sum()) - (count.sum() - total)
    return gained / deviance if deviance > 0 else 0.0
