"""Moran's I of genes before and after denoising, beside the controls without which it says little.

Any smoothing raises Moran's I, of noise too. So the same number stands beside it for the plain neighbour mean, and for
the neighbour mean of shuffled spots, where nothing is left to find: what that reaches is the smoothing's own doing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from clearspot import keys
from clearspot.contract.flags import read_flag
from clearspot.domains.params import DomainParams
from clearspot.io.denoised_file import read_denoised
from clearspot.metrics.autocorrelation import moments_by_chance, morans_i, permutation_test, row_weights
from clearspot.metrics.neighbours import neighbour_mean
from clearspot.qc.passing import passing_genes, passing_spots

_SHUFFLED_UP_TO: Final = 20_000
"""Spots up to which p-values come from shuffles. Of more, the exact mean and standard deviation under all shuffles and
the normal distribution say the same for the price of one."""


def genes_to_test(adata: ad.AnnData, n_genes: int) -> NDArray[np.intp]:
    """Columns of the genes of interest and of the most variable genes, ``n_genes`` or more in total."""
    chosen = passing_genes(adata)
    if keys.GENE_OF_INTEREST in adata.var:
        wanted = np.flatnonzero(chosen & read_flag(adata.var, keys.GENE_OF_INTEREST, table="var"))
    else:
        wanted = np.empty(0, dtype=np.intp)
    rank = adata.var[keys.HVG_RANK].to_numpy(dtype=float)
    order = np.argsort(rank, kind="stable")
    ranked = order[np.isfinite(rank[order])]
    variable = ranked[~np.isin(ranked, wanted)][: max(0, n_genes - wanted.size)]
    return np.concatenate([wanted, variable])


def spatial_genes(
    adata: ad.AnnData, params: DomainParams, denoised_file: Path | str | None = None
) -> dict[str, list[Any]]:
    """Moran's I over the passing spots, on log-normalised values and row-normalised weights.

    Parameters
    ----------
    adata
        With ``X``, the graph, and, after the denoiser, ``layers['denoised']``.
    params
        Number of genes and shuffles, seed.
    denoised_file
        Denoised values, where they are too large for a layer.

    Returns
    -------
    Table with a row per gene: ``measured`` (before), ``denoised`` (after; missing without the denoiser),
    ``neighbour_mean``, ``neighbour_mean_shuffled``, and one-sided p-values under shuffled spots with their
    Benjamini-Hochberg adjustment for the first two.
    """
    spots = np.flatnonzero(passing_spots(adata))
    genes = genes_to_test(adata, params.moran_n_genes)
    graph = adata.obsp[keys.CONNECTIVITIES][spots][:, spots]
    weights = row_weights(graph)
    measured = _dense(adata.X[:, genes][spots])  # columns first: rows would copy all genes
    shuffled = measured[np.random.default_rng(params.seed).permutation(len(spots))]
    table: dict[str, list[Any]] = {"gene": adata.var_names[genes].astype(str).tolist()}
    _test(table, "measured", weights, measured, params)
    denoised = _denoised(adata, spots, genes, denoised_file)
    if denoised is not None:
        factor = adata.obs[keys.SIZE_FACTOR].to_numpy(dtype=float)[spots, None]
        _test(table, "denoised", weights, np.log1p(denoised / factor), params)
    table["neighbour_mean"] = morans_i(weights, neighbour_mean(graph, measured)).tolist()
    table["neighbour_mean_shuffled"] = morans_i(weights, neighbour_mean(graph, shuffled)).tolist()
    return table


def _denoised(
    adata: ad.AnnData, spots: NDArray[np.intp], genes: NDArray[np.intp], file: Path | str | None
) -> NDArray[np.floating] | None:
    if file is not None:
        return read_denoised(file, adata.obs_names[spots], list(adata.var_names[genes]))
    if keys.DENOISED in adata.layers:
        return np.asarray(adata.layers[keys.DENOISED][np.ix_(spots, genes)])
    return None


def _test(
    table: dict[str, list[Any]], name: str, weights: Any, values: NDArray[np.floating], params: DomainParams
) -> None:
    from scipy.stats import false_discovery_control, norm

    if params.moran_n_perms == 0:
        table[name] = morans_i(weights, values).tolist()
        return
    if len(values) > _SHUFFLED_UP_TO:
        statistic = morans_i(weights, values)
        mean, deviation = moments_by_chance(weights, values)
        p_value = np.where(np.isfinite(statistic), norm.sf((statistic - mean) / np.maximum(deviation, 1e-300)), np.nan)
    else:
        statistic, p_value = permutation_test(weights, values, params.moran_n_perms, params.seed)
    adjusted = np.full(p_value.size, np.nan)
    tested = np.isfinite(p_value)
    if tested.any():
        adjusted[tested] = false_discovery_control(p_value[tested])
    table[name], table[f"p_{name}"], table[f"q_{name}"] = statistic.tolist(), p_value.tolist(), adjusted.tolist()


def _dense(values: Any) -> NDArray[np.floating]:
    return values.toarray() if issparse(values) else np.asarray(values)
