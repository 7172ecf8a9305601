"""What the diffusion learns from: known programs as they are, counted bins without their counting noise."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.testing import assert_array_equal

from clearspot.diffst.data.programs import Programs
from clearspot.diffst.data.reference_view import SpotGeometry, padded_reference, pseudo_spots, reference_views
from clearspot.diffst.training.targets import residual_sd, targets_of
from tests.helpers.cell_references import GENES, make_reference

LEFT, RIGHT = 0.4, 0.1
"""Expected counts of a gene in a bin."""

PROGRAMS = Programs(tuple(GENES), np.full((2, len(GENES)), 1 / len(GENES), np.float32))


def seen(*, whole, with_truth=True):
    reference = padded_reference(make_reference(image=False), tuple(GENES))
    if whole:
        left = np.arange(reference.grid.n_bins) % reference.grid.n_cols < reference.grid.n_cols // 2
        counts = np.random.default_rng(0).poisson(np.where(left, LEFT, RIGHT)[:, None], (len(left), len(GENES)))
        reference = replace(reference, counts=sp.csr_array(counts.astype(np.float32)))
    spots = [pseudo_spots("x", reference, SpotGeometry(), 0, 0)]
    return reference_views(
        "x", reference, spots, pitch_um=100.0, programs=PROGRAMS, n_features=9, with_truth=with_truth
    )[0]


def test_programs_of_bins_are_fitted_only_where_they_are_wanted_and_say_something():
    assert seen(whole=False).truth is not None
    assert seen(whole=False, with_truth=False).truth is None
    assert seen(whole=True).truth is None


def test_known_programs_are_the_target():
    view = seen(whole=False)
    mean = np.ones(view.truth.shape, dtype=np.float32)
    ((target,),) = targets_of([view], [[mean]], PROGRAMS.loadings, seed=0)
    assert target.truth is view.truth
    assert target.mean is mean


def test_counted_bins_give_residuals_that_are_smaller_than_their_counting_noise():
    """Few counts around a mean that is right: what is left is noise, and next to none of it is learned."""
    view = seen(whole=True)
    left = np.arange(view.shape[1]) < view.shape[1] // 2
    amounts = np.where(left, LEFT, RIGHT) * len(GENES) / 2
    mean = np.broadcast_to(amounts / view.scale[:, None, None], (2, *view.shape)).astype(np.float32)
    ((target,),) = targets_of([view], [[mean]], PROGRAMS.loadings, seed=0)
    fitted = (view.fine_counts.sum(axis=1).A1 / 2).reshape(view.shape)[None] / view.scale[:, None, None]
    of_counts = np.sqrt(fitted[:, view.tissue]) - np.sqrt(mean[:, view.tissue])
    assert (residual_sd([view], [[target]]) < 0.5 * np.sqrt((of_counts**2).mean(axis=1))).all()
    ((again,),) = targets_of([view], [[mean]], PROGRAMS.loadings, seed=0)
    assert_array_equal(target.truth, again.truth)
