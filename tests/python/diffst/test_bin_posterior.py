"""What programs of counted bins may be: as variable as they are, whatever the counting noise."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose

from clearspot.diffst.estimate.bin_posterior import allotted, dispersion_sums, posterior_draw, program_dispersion

N_BINS, PHI = 30_000, np.array([0.1, 0.8])


@pytest.fixture(scope="module", params=[0.5, 20.0])
def bins(request):
    """Bins with few counts or many, of two programs that share no gene, and what they are."""
    rng = np.random.default_rng(3)
    loadings = np.zeros((2, 20), dtype=np.float32)
    loadings[0, :10] = loadings[1, 10:] = 0.1
    amounts = rng.gamma(2.0, request.param / 2, (N_BINS, 2))
    truth = amounts * rng.gamma(1 / PHI, PHI, (N_BINS, 2))
    return sp.csr_matrix(rng.poisson(truth @ loadings)), amounts, loadings, truth


def test_a_right_prediction_is_allotted_what_was_counted(bins):
    counts, amounts, loadings, _ = bins
    found, noise = allotted(counts, amounts, loadings)
    assert_allclose(found.sum(), counts.sum(), rtol=1e-5)
    assert_allclose(found.sum(axis=0), amounts.sum(axis=0), rtol=0.03)
    # programs that share no gene: what is allotted is the Poisson count itself
    assert_allclose(found[:, 0], counts[:, :10].toarray().sum(axis=1), rtol=1e-5)
    assert_allclose(noise, found, rtol=1e-5)


def test_the_dispersion_is_that_of_the_programs_without_the_noise_of_counting(bins):
    counts, amounts, loadings, _ = bins
    parts = [slice(0, N_BINS // 3), slice(N_BINS // 3, None)]
    sums = [dispersion_sums(*allotted(counts[part], amounts[part], loadings), amounts[part]) for part in parts]
    assert_allclose(program_dispersion(sums), PHI, rtol=0.15, atol=0.03)


def test_draws_vary_as_the_programs_do_and_go_with_the_counts(bins):
    counts, amounts, loadings, truth = bins
    found, _ = allotted(counts, amounts, loadings)
    drawn = posterior_draw(found, amounts, PHI, np.random.default_rng(0))
    assert_allclose(drawn.mean(axis=0), truth.mean(axis=0), rtol=0.03)
    assert_allclose(drawn.var(axis=0), truth.var(axis=0), rtol=0.1)
    noisy = np.corrcoef(found[:, 1] - amounts[:, 1], truth[:, 1] - amounts[:, 1])[0, 1]
    # a second draw of the same: as near as the first observation and the truth allow
    assert np.corrcoef(drawn[:, 1] - amounts[:, 1], truth[:, 1] - amounts[:, 1])[0, 1] == pytest.approx(
        noisy**2, abs=0.1
    )


def test_a_bin_without_counts_or_prediction_has_next_to_nothing():
    drawn = posterior_draw(np.zeros((1, 2)), np.zeros((1, 2)), PHI, np.random.default_rng(0))
    assert (drawn < 1e-6).all()
