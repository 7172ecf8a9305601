import itertools

import numpy as np
import pytest
import torch
from scipy.stats import gamma, nbinom, poisson

from clearspot.distributions import nb_log_prob, nb_log_zero, nb_nll, posterior_mean

MEANS = [1e-5, 1e-2, 0.7, 30.0, 1e3, 1e6]
DISPERSIONS = [1e-4, 0.05, 1.0, 50.0, 1e4]
COUNTS = [0, 1, 3, 12, 500, 40_000]


def grid(dtype=torch.float64):
    x, mean, dispersion = (
        torch.tensor(v, dtype=dtype) for v in zip(*itertools.product(COUNTS, MEANS, DISPERSIONS), strict=True)
    )
    return x, mean, dispersion


def test_equals_scipy_over_the_whole_range():
    x, mean, dispersion = grid()
    n = dispersion.numpy()
    expected = nbinom.logpmf(x.numpy(), n, n / (n + mean.numpy()))
    # scipy is given the success probability, which near 1 has itself only 16 digits: that sets the limit here
    np.testing.assert_allclose(nb_log_prob(x, mean, dispersion).numpy(), expected, rtol=1e-7, atol=1e-6)


def test_single_precision_stays_near_double_over_the_whole_range():
    x, mean, dispersion = grid(torch.float64)
    error = (nb_log_prob(*grid(torch.float32)).double() - nb_log_prob(x, mean, dispersion)).abs()
    # the sum can be no better than the rounding of its largest term
    largest = nb_log_zero(mean, dispersion).abs() + torch.lgamma(x + 1) + x * torch.log1p(dispersion / mean)
    assert (error / (largest + 1)).max() < 1e-6


@pytest.mark.parametrize(("mean", "dispersion"), [(0.3, 0.2), (4.0, 1.5), (10.0, 30.0)])
def test_probabilities_sum_to_one_and_have_the_right_moments(mean, dispersion):
    x = torch.arange(3000.0, dtype=torch.float64)
    p = nb_log_prob(x, torch.tensor(mean).double(), torch.tensor(dispersion).double()).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-9)
    assert (p * x).sum().item() == pytest.approx(mean, rel=1e-6)
    variance = (p * x**2).sum().item() - mean**2
    assert variance == pytest.approx(mean + mean**2 / dispersion, rel=1e-5)


def test_zero_is_the_special_case():
    x, mean, dispersion = grid()
    torch.testing.assert_close(nb_log_prob(torch.zeros_like(x), mean, dispersion), nb_log_zero(mean, dispersion))


def test_large_dispersion_is_poisson():
    x = torch.arange(8.0, dtype=torch.float64)
    mean = torch.full_like(x, 2.5)
    poisson = x * mean.log() - mean - torch.lgamma(x + 1)
    torch.testing.assert_close(nb_log_prob(x, mean, torch.full_like(x, 1e9)), poisson, rtol=1e-6, atol=1e-6)


def test_gradient_check():
    x = torch.tensor([0.0, 1.0, 4.0, 30.0], dtype=torch.float64)
    mean = torch.tensor([0.2, 1.5, 9.0, 12.0], dtype=torch.float64, requires_grad=True)
    dispersion = torch.tensor([0.4, 2.0, 11.0, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m, d: nb_log_prob(x, m, d), (mean, dispersion))


def test_nll_is_the_mean():
    x, mean, dispersion = grid()
    assert nb_nll(x, mean, dispersion).item() == pytest.approx(-nb_log_prob(x, mean, dispersion).mean().item())


@pytest.mark.parametrize("x", [0, 1, 7, 60])
@pytest.mark.parametrize(("mu", "theta"), [(0.3, 1.5), (5.0, 2.0), (40.0, 30.0)])
def test_posterior_mean_is_the_integral_over_the_gamma_rate(x, mu, theta):
    rate = np.linspace(1e-6, 400, 2_000_001)
    weight = gamma.pdf(rate, theta, scale=mu / theta) * poisson.pmf(x, rate)
    expected = (rate * weight).sum() / weight.sum()
    found = posterior_mean(torch.tensor(float(x)), torch.tensor(mu), torch.tensor(theta))
    assert float(found) == pytest.approx(expected, rel=2e-3)
