"""Spots that a view hides: what they counted, and what the others say of them."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from clearspot.diffst.data.view import View


def hidden_pairs(
    view: View, counts: sp.csr_matrix, loadings: NDArray[np.float32]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Counts of spots that conditions hide, and the plain estimate of them from the other spots.

    Parameters
    ----------
    view
        With conditions beyond the first, which hide some of its spots.
    counts
        ``(spots, genes)``.
    loadings
        ``(programs, genes)``.

    Returns
    -------
    ``(hidden, genes)`` each; a spot that is hidden several times is there several times.
    """
    usable = view.scored & view.spots_inside((slice(0, view.shape[0]), slice(0, view.shape[1])))
    measured, expected = [np.empty((0, counts.shape[1]))], [np.empty((0, counts.shape[1]))]
    for shown in view.conditions[1:]:
        hidden = np.flatnonzero(usable & ~shown.visible)
        amounts = (shown.base * view.scale[:, None, None]).reshape(len(shown.base), -1).T
        measured.append(counts[hidden].toarray())
        expected.append((view.operator[hidden] @ amounts) @ loadings)
    return np.concatenate(measured), np.concatenate(expected)
