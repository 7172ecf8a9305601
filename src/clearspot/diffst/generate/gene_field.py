"""What single genes know beyond the programs: a smooth factor on each gene's map.

A few dozen programs cannot hold every gene's own pattern. What is left over, the ratio of a gene's counts to what the
programs expect of the spots, is smoothed over the section like a map of its own. How far it reaches is chosen gene by
gene by leaving spots out, and no factor at all is one of the choices. What a spot's genes have in common and its
neighbours do not share, such as how well it captures, is no gene's pattern and is taken out first.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.plain_estimate import choose_smoothing, smooth_ratio, weights_of_others

WIDTHS: Final = (np.inf, 5.0, 2.5, 1.5, 1.0, 0.7)
"""Standard deviations of the Gaussian that are tried, in pitches; infinite: no factor."""

PRIOR: Final = 1.0
"""Counts with a ratio of 1 beside those that a bin's surroundings have; more lowers correlation on phantoms."""

_MOST: Final = 5.0
_PRIOR_OF_SPOT: Final = 16.0
_REACH_OF_SPOT: Final = 1.0
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
        self._all_measured = np.asarray(self._counts.sum(axis=1), dtype=np.float32).reshape(-1, 1)
        self._all_expected = (self._amounts @ loadings.sum(axis=1))[:, None]
        spots = slice(0, len(self._xy))
        reach = _REACH_OF_SPOT * self._pitch_px
        self._others = weights_of_others(cKDTree(self._xy), spots, reach) if len(self._xy) else None
        # once for all genes: the spots' weights for each other are the same for all
        starts = range(0, loadings.shape[1], _GENES_AT_ONCE)
        self._widths = np.concatenate([self._chosen(slice(first, first + _GENES_AT_ONCE)) for first in starts])

    def _spots(self, genes: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Counts, and what the programs expect of spots that capture as these do, ``(spots, genes)``."""
        measured = self._counts[:, genes].toarray().astype(np.float32)
        expected = np.maximum(self._amounts @ self._loadings[:, genes], 1e-9)
        # a gene's own counts must not explain themselves
        factor = spot_factor(self._all_measured - measured, self._all_expected - expected, self._others)
        return measured, np.maximum(expected * factor, 1e-9)

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


def spot_factor(
    measured: NDArray[np.floating], expected: NDArray[np.floating], others: sp.csr_array | None
) -> NDArray[np.float32]:
    """How much more than its neighbours a spot measured of what was expected, shrunk to 1 as if 16 counts said so.

    What neighbours have in common is left in: there the programs are off, which genes' fields may mend.

    Parameters
    ----------
    measured, expected
        ``(spots, K)``: totals over genes.
    others
        ``(spots, spots)``: weights of the neighbours, none of itself; None without spots.

    Returns
    -------
    ``(spots, K)``, positive.
    """
    if others is None:
        return np.ones(measured.shape, dtype=np.float32)
    around, of_around = others @ measured, others @ np.maximum(expected, 0)
    local = np.divide(around, of_around, out=np.ones_like(around), where=of_around > 1e-9)
    usual = np.maximum(expected, 0) * local
    return np.asarray((np.maximum(measured, 0) + _PRIOR_OF_SPOT) / (usual + _PRIOR_OF_SPOT), dtype=np.float32)
