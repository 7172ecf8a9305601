"""Genes that mark a shared domain in every section that has it."""

from __future__ import annotations

from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray

from clearspot import keys
from clearspot.domains.markers import marker_genes, marker_profile

FEWEST_SPOTS: Final = 10
"""Spots of a domain, and outside it, that a section needs to say whether a gene is higher inside."""


def shared_markers(adata: ad.AnnData, n_markers: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rank genes by all sections together, and count the sections in which each is higher inside the domain.

    Parameters
    ----------
    adata
        With log-normalised ``X`` and ``obs['domain_study']``.
    n_markers
        Genes a domain.
    seed
        Seed of the draw where there are many spots.

    Returns
    -------
    Table of :func:`clearspot.domains.markers.marker_genes` with ``sections_higher`` and ``sections_tested``; and the
    profile of the best markers over all domains.
    """
    table, _ = marker_genes(adata, keys.DOMAIN_STUDY, n_markers, seed)
    profile = marker_profile(adata, keys.DOMAIN_STUDY, table)
    section = adata.obs[keys.SAMPLE_ID].astype("category").cat.codes.to_numpy()
    domain = adata.obs[keys.DOMAIN_STUDY].astype(str).to_numpy()
    columns = {gene: number for number, gene in enumerate(adata.var_names)}
    higher, tested = [], []
    for name, gene in zip(table["domain"], table["gene"], strict=True):
        values = np.asarray(adata.X[:, columns[gene]].todense()).ravel()
        found = _differences(values, domain == name, section)
        higher.append(int((found > 0).sum()))
        tested.append(len(found))
    return table | {"sections_higher": higher, "sections_tested": tested}, profile


def _differences(
    values: NDArray[np.floating], inside: NDArray[np.bool_], section: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Mean inside less mean outside, in each section that has enough spots of both."""
    found = []
    for code in np.unique(section):
        own = section == code
        if min((own & inside).sum(), (own & ~inside).sum()) >= FEWEST_SPOTS:
            found.append(values[own & inside].mean() - values[own & ~inside].mean())
    return np.array(found)
