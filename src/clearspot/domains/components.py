"""Principal components that domains are sought in, without long tails."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

COMPONENTS: Final = 30

TAILS: Final = 6.0


def own_components(counts: sp.csr_matrix, seed: int) -> NDArray[np.floating]:
    """First 30 principal components of ``log(1 + counts / size factor)``, without long tails.

    Parameters
    ----------
    counts
        ``(spots, genes)``; the size factor of a spot is its total over that of the median spot.
    seed
        Seed of the solver.
    """
    import scanpy as sc

    total = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    factor = np.maximum(total / max(float(np.median(total)), 1.0), 1e-6)
    rates = sp.csr_matrix(sp.diags(1 / factor) @ counts, dtype=np.float32).log1p()
    number = min(COMPONENTS, min(rates.shape) - 1)
    return without_tails(np.asarray(sc.pp.pca(rates, n_comps=number, random_state=seed)))


def leading_components(latent: NDArray[np.floating]) -> NDArray[np.floating]:
    """The latent's first ``COMPONENTS`` principal components (itself, if it has no more columns), without long tails.

    A mixture gives every column the same say, so columns that hold next to nothing must not reach it.
    """
    from sklearn.decomposition import PCA

    if latent.shape[1] > COMPONENTS:
        latent = PCA(min(COMPONENTS, len(latent)), svd_solver="full").fit_transform(latent)
    return without_tails(latent)


def without_tails(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Values, limited to ``TAILS`` robust standard deviations on either side of each column's median.

    The deviation is from the median absolute deviation. A small tissue that is unlike all others would take every
    component for itself.
    """
    from scipy.stats import median_abs_deviation

    middle = np.median(values, axis=0)
    reach = TAILS * median_abs_deviation(values, axis=0, scale="normal")
    return np.where(reach > 0, np.clip(values, middle - reach, middle + reach), values)
