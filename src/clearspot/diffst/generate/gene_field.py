"""What single genes know beyond the programs: a smooth factor on each gene's map.

A few dozen programs cannot hold every gene's own pattern. What is left over, the ratio of a gene's counts to what the
programs expect of the spots, is smoothed over the section like a map of its own. How far it reaches is chosen gene by
gene by leaving spots out, and no factor at all is one of the choices. What all genes of a spot have in common, such as
how well it captures, is no gene's pattern and is taken out first.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.plain_estimate import choose_smoothing, smooth_ratio

WIDTHS: Final = (np.inf, 5.0, 2.5, 1.5, 1.0, 0.7)
"""Standard deviations of the Gaussian that are tried, in pitches; infinite: no factor."""

PRIOR: Final = 1.0
"""Counts with a ratio of 1 beside those around a bin. Of more, left-out spots of phantoms are predicted worse."""

_MOST: Final = 5.0
_PRIOR_OF_SPOT: Final = 16.0
_GENES_AT_ONCE: Final = 64


class GeneField:
    """Factors of the genes of one section.

    Parameters
    ----------
    view
        The section.
    visible
        ``(spots,)`` bool: spots that may be looked at.
    programs
        ``(programs, rows, columns)``: the estimate that is corrected, in units of the view's scale.
    loadings
        ``(programs, genes)``.
    counts
        ``(spots, genes)``.
    """

    def __init__(
        self,
        view: View,
        visible: NDArray[np.bool_],
        programs: NDArray[np.float32],
        loadings: NDArray[np.float32],
        counts: sp.csr_matrix,
    ):
        area = np.asarray(view.operator.sum(axis=1)).ravel()
        # a spot that a window cuts has counts from outside it
        everywhere = (slice(0, view.shape[0]), slice(0, view.shape[1]))
        used = np.flatnonzero(visible & (area > 0) & view.spots_inside(everywhere))
        self._view, self._loadings = view, loadings
        self._operator, self._area = sp.csr_array(view.operator[used]), area[used]
        self._back = sp.csr_array(self._operator.T)
        self._counts, self._xy = sp.csr_matrix(counts)[used], view.xy_px[used]
        amounts = (programs * view.scale[:, None, None]).reshape(len(programs), -1).T
        self._amounts = np.asarray(self._operator @ amounts, dtype=np.float32)
        self._pitch_px = view.pitch_um * view.grid.px_per_um
        counted = np.asarray(self._counts.sum(axis=1), dtype=np.float32).reshape(-1, 1)
        self._totals = counted, (self._amounts @ loadings.sum(axis=1))[:, None]
        # once for all genes: the spots' weights for each other are the same for all
        starts = range(0, loadings.shape[1], _GENES_AT_ONCE)
        self._widths = np.concatenate([self._chosen(slice(first, first + _GENES_AT_ONCE)) for first in starts])

    def _spots(self, genes: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Counts, and what the programs expect of spots that capture as these do, ``(spots, genes)``."""
        measured = self._counts[:, genes].toarray().astype(np.float32)
        expected = np.maximum(self._amounts @ self._loadings[:, genes], 1e-9)
        return measured, np.maximum(expected * spot_factors(measured, expected, self._totals), 1e-9)

    def _chosen(self, genes: slice) -> NDArray[np.float64]:
        measured, expected = self._spots(genes)
        if len(measured) < 2:
            return np.full(measured.shape[1], np.inf)
        return choose_smoothing(measured, {1.0: expected}, self._xy, self._pitch_px, WIDTHS, PRIOR)[0]

    def __call__(self, genes: slice) -> NDArray[np.float32]:
        """Factors ``(bins, genes)``, from 1/5 to 5."""
        view, grid = self._view, self._view.grid
        measured, expected = self._spots(genes)
        widths = self._widths[genes]
        result = np.ones((grid.n_bins, measured.shape[1]), dtype=np.float32)
        for column in np.flatnonzero(np.isfinite(widths)):
            width = float(widths[column]) * view.pitch_um / grid.bin_um
            ratio = smooth_ratio(measured[:, column], expected[:, column], self._area, self._back, grid, width, PRIOR)
            result[:, column] = np.clip(ratio.ravel(), 1 / _MOST, _MOST)
        return result


def spot_factors(
    measured: NDArray[np.floating], expected: NDArray[np.floating], totals: tuple[NDArray[Any], NDArray[Any]]
) -> NDArray[np.float32]:
    """How much more the other genes of a spot have than is expected of them, shrunk to 1 as if 16 counts said so.

    Parameters
    ----------
    measured, expected
        ``(spots, K)``: of some genes. A gene's own counts are excluded from its factors, to avoid circularity.
    totals
        ``(spots, 1)`` each: the same, over all genes.

    Returns
    -------
    ``(spots, K)``, positive, such that a gene's expected total stays what it is.
    """
    others, expected_others = (
        np.maximum(total - part, 0) for total, part in zip(totals, (measured, expected), strict=True)
    )
    factors = (others + _PRIOR_OF_SPOT) / (expected_others + _PRIOR_OF_SPOT)
    scale = expected.sum(axis=0) / np.maximum((expected * factors).sum(axis=0), 1e-9)
    return np.asarray(factors * scale, dtype=np.float32)
