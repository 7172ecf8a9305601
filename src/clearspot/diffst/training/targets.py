"""What stage 2 learns: the programs of known bins, without their counting noise, beside stage 1's mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from clearspot.diffst.data.batches import Target
from clearspot.diffst.data.view import View
from clearspot.diffst.estimate.bin_posterior import allotted, dispersion_sums, posterior_draw, program_dispersion
from clearspot.diffst.geometry.scratch import parked

Means = Sequence[Sequence[NDArray[np.float32]]]
"""Stage 1's prediction for each view and condition."""

_BINS_AT_ONCE: Final = 20_000
_STREAM: Final = 14
_LARGEST: Final = 6e4


def targets_of(
    views: Sequence[View], means: Means, loadings: NDArray[np.float32], seed: int
) -> tuple[tuple[Target, ...], ...]:
    """Targets of every view and condition.

    Where the view says what the programs are (``truth``), that is the target. Where bins were counted, programs fitted
    to a bin's few molecules would be mostly counting noise, which draws would then repeat. There the target is a draw
    of what the programs may be, given stage 1's mean and the counts.

    Parameters
    ----------
    views
        Their bins are known.
    means
        See :data:`Means`.
    loadings
        ``(programs, genes)``.
    seed
        Of the draws.
    """
    pairs = [(view, mean) for view, of_view in zip(views, means, strict=True) for mean in of_view]
    sums = [
        dispersion_sums(counts, noise, amounts)
        for view, mean in pairs
        if view.truth is None
        for _, amounts, counts, noise in _counted(view, mean, loadings)
    ]
    phi = program_dispersion(sums) if sums else np.empty(0)
    generator = np.random.default_rng([seed, _STREAM])

    def target(view: View, mean: NDArray[np.float32]) -> Target:
        if view.truth is not None:
            return Target(mean, view.truth)
        drawn = mean.astype(np.float16).reshape(len(mean), -1)
        for bins, amounts, counts, _ in _counted(view, mean, loadings):
            programs = posterior_draw(counts, amounts, phi, generator) / view.scale
            drawn[:, bins] = np.minimum(programs, _LARGEST).T
        return Target(mean, parked(drawn.reshape(mean.shape)))

    return tuple(tuple(target(view, mean) for mean in of_view) for view, of_view in zip(views, means, strict=True))


def residual_sd(views: Sequence[View], targets: Sequence[Sequence[Target]]) -> NDArray[np.float32]:
    """Root mean square of each program's residual in square-root space, over tissue, ``(programs,)``."""
    total: NDArray[np.float64] | float = 0.0
    number = 0
    for view, of_view in zip(views, targets, strict=True):
        for target in of_view:
            truth, mean = (one[:, view.tissue].astype(np.float32) for one in (target.truth, target.mean))
            residual = np.sqrt(truth) - np.sqrt(mean)
            total = total + (residual.astype(np.float64) ** 2).sum(axis=1)
            number += residual.shape[1]
    return np.maximum(np.sqrt(total / max(number, 1)), 1e-3).astype(np.float32)


def _counted(
    view: View, mean: NDArray[np.float32], loadings: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]]:
    """Numbers of bins on tissue, some at a time; predicted and allotted counts of their programs, and the noise."""
    if view.fine_counts is None:
        raise ValueError(f"{view.name}: nothing is known of the bins")
    inside, programs = np.flatnonzero(view.tissue), mean.reshape(len(mean), -1)
    for first in range(0, len(inside), _BINS_AT_ONCE):
        bins = inside[first : first + _BINS_AT_ONCE]
        amounts = programs[:, bins].T * view.scale
        yield bins, amounts, *allotted(view.fine_counts[bins], amounts, loadings)
