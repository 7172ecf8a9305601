"""How near a super-resolved map comes to the truth: measures per gene, none of which a rescaling can flatter.

Arrays are bins (or spots) x genes, of expected or drawn counts, unless said otherwise.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from clearspot.metrics.autocorrelation import morans_i, row_weights
from clearspot.metrics.maps import both, centred, cosine, gene_pearson

Floats = NDArray[np.float64]

_SSIM_WINDOW: Final = 7


def sqrt_rmse(truth: ArrayLike, predicted: ArrayLike, scale: ArrayLike) -> Floats:
    """Root mean square error of each gene on the square-root scale, in units of ``scale``.

    Parameters
    ----------
    truth, predicted
        Counts.
    scale
        One number a gene, from training data: standard deviation of the square root. Not from the truth scored on.
    """
    y, m = both(truth, predicted)
    error = np.sqrt(((np.sqrt(y) - np.sqrt(m)) ** 2).mean(axis=0))
    units = np.asarray(scale, dtype=np.float64)
    return np.divide(error, units, out=np.full(len(error), np.nan), where=units > 0)


def ssim(
    truth: NDArray[np.floating], predicted: NDArray[np.floating], data_range: ArrayLike, mask: NDArray[np.bool_]
) -> Floats:
    """Structural similarity of each gene's map (square-root scale), averaged over the bins of a mask.

    Parameters
    ----------
    truth, predicted
        rows x columns x genes, counts.
    data_range
        One number a gene, fixed beforehand: range of the square root.
    mask
        rows x columns: bins that count. Outside, both maps are set to 0.
    """
    from skimage.metrics import structural_similarity

    result = np.full(truth.shape[2], np.nan)
    ranges = np.broadcast_to(np.asarray(data_range, dtype=np.float64), result.shape)
    for gene in np.flatnonzero(ranges > 0):
        maps = [np.sqrt(np.where(mask, values[:, :, gene], 0).astype(np.float64)) for values in (truth, predicted)]
        _, local = structural_similarity(*maps, win_size=_SSIM_WINDOW, data_range=float(ranges[gene]), full=True)
        result[gene] = local[mask].mean()
    return result


def morans_error(truth: ArrayLike, predicted: ArrayLike, mask: NDArray[np.bool_]) -> Floats:
    """Moran's I of the prediction less that of the truth, for each gene, between neighbouring bins of a mask.

    Above 0: smoother than the truth. NaN where either is constant.

    Parameters
    ----------
    truth, predicted
        Bins of the mask (row by row) x genes.
    mask
        rows x columns.
    """
    y, m = both(truth, predicted)
    weights = row_weights(_rook(mask))
    return np.asarray(morans_i(weights, m) - morans_i(weights, y))


def gene_gene_error(truth: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error of the correlations between genes; NaN with fewer than two genes that vary."""
    y, m = centred(truth), centred(predicted)
    varying = (y**2).sum(axis=0) > 0
    if varying.sum() < 2:
        return float("nan")
    first, second = (_correlations(values[:, varying]) for values in (y, m))
    pairs = np.triu_indices(len(first), 1)
    return float(np.abs(first - second)[pairs].mean())


def thinning_ceiling(counts: ArrayLike, rng: np.random.Generator, repeats: int = 3) -> Floats:
    """Largest correlation with noisy counts that a perfect prediction could have, for each gene.

    Counts are split in halves by binomial thinning, which are independent given the expectation if counts are Poisson.
    Their correlation r is stepped up to that of two full measurements, ``2 r / (1 + r)``, whose root is the correlation
    of one with its expectation.

    Parameters
    ----------
    counts
        Whole numbers.
    rng
        Of the split.
    repeats
        Splits that are averaged.
    """
    values = np.asarray(counts).astype(np.int64)
    halves = (rng.binomial(values, 0.5) for _ in range(repeats))
    r = np.mean([cosine(centred(half), centred(values - half)) for half in halves], axis=0)
    r = np.maximum(r, 0)
    return np.sqrt(2 * r / (1 + r))


def minmax_scores(truth: ArrayLike, predicted: ArrayLike) -> dict[str, Floats]:
    """RMSE and correlation after min-max scaling of both maps, gene by gene: for comparison with papers alone.

    On sparse maps this RMSE prefers a single lit bin to the truth: it ranks nothing.
    """
    y, m = (_minmax(values) for values in both(truth, predicted))
    return {"rmse": np.sqrt(((y - m) ** 2).mean(axis=0)), "pcc": gene_pearson(y, m)}


def _correlations(centred: Floats) -> Floats:
    norm = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0)
    return np.asarray(unit.T @ unit)


def _minmax(values: Floats) -> Floats:
    span = np.ptp(values, axis=0)
    return np.divide(values - values.min(axis=0), span, out=np.zeros_like(values), where=span > 0)


def _rook(mask: NDArray[np.bool_]) -> sparse.csr_matrix:
    """Adjacency of the mask's bins that share an edge, numbered row by row."""
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(int(mask.sum()))
    pairs = [(number[:, :-1], number[:, 1:]), (number[:-1], number[1:])]
    ends = np.concatenate([np.stack([a[(a >= 0) & (b >= 0)], b[(a >= 0) & (b >= 0)]]) for a, b in pairs], axis=1)
    one_way = sparse.csr_matrix((np.ones(ends.shape[1]), ends), shape=(int(mask.sum()),) * 2)
    return one_way + one_way.T
