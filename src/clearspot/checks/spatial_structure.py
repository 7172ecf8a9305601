"""Whether the counts have any pattern over the tissue: Moran's I of the most variable genes, against shuffled places.

Without one, counts and places do not belong together (files of two slides, barcodes of another list), or there is
nothing to see. A denoiser and a clustering smooth, and so draw compact patterns of noise as well: only the counts
themselves can tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import anndata as ad
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clearspot import keys
from clearspot.contract.counts import read_counts
from clearspot.metrics.autocorrelation import moments_by_chance, morans_i, row_weights
from clearspot.qc.passing import passing_genes, passing_spots

MOST_GENES: Final = 200
FEWEST_SPOTS: Final = 30
SHUFFLES: Final = 20
Q: Final = 0.05

_FEWEST_GENES: Final = 20
"""Genes below which a share of them says nothing; so many are tested on the largest sections too."""

_PAIRS: Final = 10
"""Pairs of neighbours that both have counts of a tested gene, by chance: with fewer, its I is not near to normal."""

_THETA: Final = 100.0
"""Overdispersion, as scanpy takes it."""

_ROWS_AT_ONCE: Final = 50_000

_VALUES: Final = 20_000_000
"""Spots times genes: a section of 660,000 bins is tested on 30 genes."""


@dataclass(frozen=True)
class SpatialStructure:
    """What the genes' Moran's I says of a section.

    Parameters
    ----------
    genes
        Names of the tested genes.
    morans_i, p_value, q_value
        By gene: I, its one-sided p-value, and that after Benjamini and Hochberg.
    shuffled_medians
        Median I over the genes, of each shuffle of the places.
    shuffled_percents
        Share of genes with q < 0.05, in percent, of each shuffle.
    """

    genes: tuple[str, ...]
    morans_i: NDArray[np.float64]
    p_value: NDArray[np.float64]
    q_value: NDArray[np.float64]
    shuffled_medians: NDArray[np.float64]
    shuffled_percents: NDArray[np.float64]

    @property
    def percent_spatial(self) -> float:
        """Share of the tested genes with q < 0.05, in percent."""
        return 100.0 * float((self.q_value < Q).mean())

    @property
    def median(self) -> float:
        """Median I of the tested genes."""
        return float(np.median(self.morans_i))

    @property
    def shuffled(self) -> float:
        """What the median reaches by chance: the 95th percentile over the shuffles."""
        return float(np.quantile(self.shuffled_medians, 0.95))

    @property
    def found(self) -> bool:
        """Whether there is any: at least 5 % of the genes, and more than in any shuffle.

        Without a pattern Benjamini and Hochberg's procedure finds next to none. Genes that go together can be found
        together by chance, so shuffles of the same genes have a say too. The median has none: few genes need a pattern.
        """
        return self.percent_spatial >= 100.0 * Q and self.percent_spatial > float(self.shuffled_percents.max())


def spatial_structure(adata: ad.AnnData, seed: int = 0) -> SpatialStructure | str:
    """Test the most variable genes of a section for a pattern over the passing spots that have counts.

    Values are analytic Pearson residuals (Lause, Berens and Kobak 2021), as of ``scanpy.experimental``: depth has a
    pattern of its own (the tissue's edge, a shallow corner), which reaches the logarithm of every gene's normalised
    counts where these are low; the residuals of a gene without a pattern have mean 0 and variance 1 at any depth.

    Parameters
    ----------
    adata
        With counts and the graph; ``var['highly_variable_rank']`` orders the genes where it is there, else the number
        of spots that they are seen in.
    seed
        Seed of the shuffles.

    Returns
    -------
    What was found; or why nothing could be tested, as a sentence.
    """
    counts = read_counts(adata)
    spots = np.flatnonzero(passing_spots(adata) & (np.diff(counts.indptr) > 0))
    if spots.size < FEWEST_SPOTS:
        return f"{spots.size} places are too few to test genes for a spatial pattern."
    graph = csr_matrix(adata.obsp[keys.CONNECTIVITIES])[spots][:, spots]
    if not graph.nnz:
        return "No place has a neighbour, so genes were not tested for a spatial pattern."
    genes = _genes(adata, counts, spots, graph.nnz / 2)
    if genes.size < _FEWEST_GENES:
        return f"Only {genes.size} genes are detected in enough spots, too few to test for a spatial pattern."
    if keys.SIZE_FACTOR in adata.obs:
        factor = adata.obs[keys.SIZE_FACTOR].to_numpy(dtype=np.float64)[spots]
    else:
        totals = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()[spots]
        factor = totals / np.median(totals)
    values = _residuals(counts[:, genes][spots].toarray().astype(np.float64), factor)
    return _test(tuple(adata.var_names[genes].astype(str)), row_weights(graph), values, seed)


def _genes(adata: ad.AnnData, counts: csr_matrix, spots: NDArray[np.intp], n_edges: float) -> NDArray[np.intp]:
    """Positions of the genes to test, most variable first."""
    seen = np.zeros(counts.shape[1], dtype=np.intp)
    for start in range(0, spots.size, _ROWS_AT_ONCE):
        seen += np.bincount(counts[spots[start : start + _ROWS_AT_ONCE]].indices, minlength=counts.shape[1])
    enough = passing_genes(adata) & (n_edges * (seen / spots.size) ** 2 >= _PAIRS)
    if keys.HVG_RANK in adata.var:
        rank = adata.var[keys.HVG_RANK].to_numpy(dtype=np.float64)
        rank = np.where(np.isfinite(rank), rank, np.inf)
    else:
        rank = -seen.astype(np.float64)
    order = np.argsort(rank, kind="stable")
    most = int(np.clip(_VALUES // spots.size, _FEWEST_GENES, MOST_GENES))
    return order[enough[order]][:most]


def _residuals(counts: NDArray[np.float64], factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson residuals of a negative binomial whose mean is the gene's share of the spot's depth."""
    expected = np.outer(factor / factor.sum(), counts.sum(axis=0))
    residuals = (counts - expected) / np.sqrt(expected + expected**2 / _THETA)
    limit = np.sqrt(len(counts))
    return np.clip(residuals, -limit, limit)


def _test(
    genes: tuple[str, ...], weights: csr_matrix, values: NDArray[np.float64], seed: int
) -> SpatialStructure | str:
    observed = morans_i(weights, values)
    mean, sd = moments_by_chance(weights, values)
    tested = np.isfinite(observed) & (sd > 0)
    if tested.sum() < _FEWEST_GENES:
        return f"Only {int(tested.sum())} genes vary, too few to test for a spatial pattern."
    values, observed, sd = values[:, tested], observed[tested], sd[tested]
    p_value, q_value = _p_and_q(observed, mean, sd)
    rng = np.random.default_rng(seed)
    shuffles = [morans_i(weights, values[rng.permutation(len(values))]) for _ in range(SHUFFLES)]
    return SpatialStructure(
        tuple(gene for gene, one in zip(genes, tested, strict=True) if one),
        observed,
        p_value,
        q_value,
        np.array([np.median(one) for one in shuffles]),
        np.array([100.0 * (_p_and_q(one, mean, sd)[1] < Q).mean() for one in shuffles]),
    )


def _p_and_q(
    statistic: NDArray[np.float64], mean: float, sd: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from scipy.stats import false_discovery_control, norm

    p_value = norm.sf((statistic - mean) / sd)
    return p_value, false_discovery_control(p_value)
