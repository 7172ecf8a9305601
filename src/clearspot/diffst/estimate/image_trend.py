"""What the image alone says about the spots' values: ridge regression on its features, applied to every bin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold, cross_val_predict

CONTEXT_BINS: Final = (0.0, 1.5, 4.0)
"""Widths of the surroundings, in bins, of which the image features tell beside the bin's own."""

_ALPHAS: Final = np.logspace(0, 5, 11)
_FOLDS: Final = 5


class ImageTrend:
    """Ridge regression of densities (square root) on image features, in three sizes of surroundings.

    Feature maps in their surroundings are computed one at a time and never held together.

    Parameters
    ----------
    features
        ``(C, rows, columns)``: standardised, 0 where there is no image.
    operator
        Capture operator, ``(spots, bins)`` CSR.
    """

    def __init__(self, features: NDArray[np.floating], operator: sparse.csr_array):
        self._features = features
        self._area = np.asarray(operator.sum(axis=1)).ravel()
        maps = [np.asarray(operator @ one.ravel()) for one in self._maps()]
        self.under_spots: NDArray[np.floating] = np.stack(maps, axis=1) / np.maximum(self._area, 1e-6)[:, None]

    def fit(
        self, values: NDArray[np.floating], spots: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Regress the values of some spots.

        Parameters
        ----------
        values
            ``(spots, K)``: totals of all spots.
        spots
            ``(spots,)`` bool: those that may be looked at.

        Returns
        -------
        Density that the image suggests for each bin, ``(K, rows, columns)`` float32, and that of each of the chosen
        spots as predicted from the others (five-fold), ``(chosen, K)``: by the latter its worth can be judged.
        """
        used = spots & (self._area > 0)
        roots = np.sqrt(np.asarray(values, dtype=np.float32)[used] / self._area[used, None])
        under = self.under_spots[used]
        model = RidgeCV(_ALPHAS, alpha_per_target=True)
        folds = KFold(min(_FOLDS, len(under)), shuffle=True, random_state=0)
        crossed = cross_val_predict(model, under, roots, cv=folds).reshape(roots.shape)
        model.fit(under, roots)
        weights = np.atleast_2d(model.coef_)
        shape = self._features.shape[1:]
        told = np.empty((roots.shape[1], *shape), dtype=np.float32)
        told[:] = np.reshape(model.intercept_, (-1, 1, 1))
        for number, one in enumerate(self._maps()):
            for program, weight in enumerate(weights[:, number]):
                told[program] += np.float32(weight) * one
        # Beyond what spots show, a linear model extrapolates.
        most, least = roots.max(axis=0), 0.1 * roots.mean(axis=0)
        everywhere = np.clip(told, least[:, None, None], most[:, None, None]) ** 2
        at_spots = np.zeros((len(spots), roots.shape[1]), dtype=np.float32)
        at_spots[used] = np.clip(crossed, least, most) ** 2
        return everywhere, at_spots[spots]

    def _maps(self) -> Iterator[NDArray[np.float32]]:
        for width in CONTEXT_BINS:
            for feature in self._features:
                one = np.asarray(feature, dtype=np.float32)
                yield ndimage.gaussian_filter(one, width) if width else one
