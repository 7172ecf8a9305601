"""What a place's counts are made of, and how many counts a place of such a make-up has in this section.

Tissue that holds little RNA by nature (white matter, fat, stroma) is made of other genes than its surroundings; a dead
or torn part of a tissue is made of the same. So the counts that the make-up explains are taken off before regions are
looked for.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse import csr_matrix, diags
from scipy.spatial import cKDTree

from clearspot.checks.cells import Cells

_GENES: Final = 1000
_LEAST_GENE: Final = 50
"""Genes with fewer counts say nothing about a single place."""

_WANTED: Final = 2000
"""Counts that are pooled around each cell, for alike noise everywhere: else poor cells resemble poor cells."""

_MOST_POOLED: Final = 37
_COMPONENTS: Final = 20
_STRUCTURED: Final = 0.1
"""Components whose correlation with the cells beyond the pooled ones is below this are noise."""

_BEYOND: Final = 12
_CELLS_PER_COMPONENT: Final = 25
_SHRINKAGE: Final = np.logspace(-2, 4, 10)


def composition(cells: Cells, excluded: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Coordinates of each cell's make-up: correspondence analysis of its shares of the most abundant genes.

    Shares are linear in the counts, so that a cell with a tenth of the counts has the same expected coordinates
    (log-normalised values have not: their components follow the depth).

    Parameters
    ----------
    cells
        The cells.
    excluded
        G: genes to leave out, such as mitochondrial ones, which damage changes by itself.

    Returns
    -------
    C x K coordinates, K at most 20; K = 0 where no component has spatial structure.
    """
    abundance = np.asarray(cells.counts.sum(axis=0), dtype=np.float64).ravel()
    if excluded is not None:
        abundance = np.where(excluded, 0, abundance)
    genes = np.argsort(-abundance)[:_GENES]
    genes = genes[abundance[genes] >= _LEAST_GENE]
    if len(genes) < 2 or cells.n <= _MOST_POOLED + _BEYOND:
        return np.zeros((cells.n, 0))
    near = cKDTree(cells.xy).query(cells.xy, k=_MOST_POOLED + _BEYOND)[1]
    counts = cells.counts[:, genes].astype(np.float64).tocsr()
    number = _needed(counts, near[:, :_MOST_POOLED])
    pooled = _pool(counts, near, number)
    shares = (diags(1 / np.maximum(np.asarray(pooled.sum(axis=1)).ravel(), 1)) @ pooled).toarray()
    mean = shares.mean(axis=0)
    centred = (shares - mean) / np.sqrt(np.maximum(mean, 1e-12))
    rank = min(_COMPONENTS, len(genes) - 1, cells.n // _CELLS_PER_COMPONENT)
    # cells outnumber genes on large sections: the axes come from genes x genes, exactly and without a seed
    size = centred.shape[1]
    axes = eigh(centred.T @ centred, subset_by_index=(size - rank, size - 1))[1][:, ::-1]
    found: NDArray[np.float64] = centred @ axes
    standard = found / np.maximum(found.std(axis=0), 1e-12)
    beyond = int(np.quantile(number, 0.9)) + np.arange(_BEYOND)
    structure = (standard * standard[near[:, beyond]].mean(axis=1)).mean(axis=0)
    return found[:, structure > _STRUCTURED]


def unexplained(
    log_counts: NDArray[np.float64], coordinates: NDArray[np.float64], learned_from: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Log counts less those that the make-up predicts (ridge regression, its strength by leave-one-out).

    Parameters
    ----------
    log_counts
        C natural logs of counts.
    coordinates
        C x K of :func:`composition`.
    learned_from
        C: cells that the prediction learns from; all of them where left out.
    """
    good = np.ones(len(log_counts), dtype=bool) if learned_from is None else learned_from
    if not coordinates.shape[1]:
        rest: NDArray[np.float64] = log_counts - np.median(log_counts[good])
        return rest
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    degree = 2 if good.sum() > _CELLS_PER_COMPONENT * coordinates.shape[1] ** 2 else 1
    model = make_pipeline(StandardScaler(), PolynomialFeatures(degree, include_bias=False), RidgeCV(_SHRINKAGE))
    left: NDArray[np.float64] = log_counts - model.fit(coordinates[good], log_counts[good]).predict(coordinates)
    return left


def _needed(counts: csr_matrix, near: NDArray[np.intp]) -> NDArray[np.intp]:
    """C: as many of each cell's nearest, itself included, as it takes to reach the wanted counts."""
    total = np.asarray(counts.sum(axis=1)).ravel()
    reached = np.cumsum(total[near], axis=1)
    wanted = min(_WANTED, float(np.median(reached[:, near.shape[1] // 2])))
    number: NDArray[np.intp] = np.minimum((reached < wanted).sum(axis=1) + 1, near.shape[1])
    return number


def _pool(counts: csr_matrix, near: NDArray[np.intp], number: NDArray[np.intp]) -> csr_matrix:
    taken = np.arange(near.shape[1]) < number[:, None]
    rows = np.repeat(np.arange(len(near)), number)
    return csr_matrix((np.ones(len(rows)), (rows, near[taken])), shape=(len(near), len(near))) @ counts
