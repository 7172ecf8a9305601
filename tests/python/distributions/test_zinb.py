import itertools

import numpy as np
import pytest
import torch
from scipy.special import expit
from scipy.stats import nbinom

from clearspot.distributions import nb_log_prob, posterior_mean, zinb_log_prob, zinb_nll, zinb_posterior_mean

GRID = list(itertools.product([0, 1, 4, 300], [1e-5, 0.4, 20.0, 1e6], [1e-4, 0.8, 1e4], [-30.0, -3.0, 0.0, 2.0, 30.0]))


def grid(dtype=torch.float64):
    return tuple(torch.tensor(v, dtype=dtype) for v in zip(*GRID, strict=True))


def test_equals_the_mixture_written_with_scipy():
    x, mean, dispersion, logit = grid()
    n, pi = dispersion.numpy(), expit(logit.numpy())
    nb = nbinom.logpmf(x.numpy(), n, n / (n + mean.numpy()))
    with np.errstate(divide="ignore"):
        dropped = np.where(x.numpy() == 0, np.log(pi), -np.inf)
    expected = np.logaddexp(dropped, np.log(expit(-logit.numpy())) + nb)
    np.testing.assert_allclose(zinb_log_prob(x, mean, dispersion, logit).numpy(), expected, rtol=1e-7, atol=1e-6)


def test_single_precision_stays_near_double_over_the_whole_range():
    double = zinb_log_prob(*grid(torch.float64))
    torch.testing.assert_close(zinb_log_prob(*grid(torch.float32)).double(), double, rtol=2e-5, atol=2e-4)


def test_without_dropout_it_is_the_negative_binomial():
    x, mean, dispersion, logit = grid()
    none = torch.full_like(logit, -1e9)
    torch.testing.assert_close(zinb_log_prob(x, mean, dispersion, none), nb_log_prob(x, mean, dispersion))


def test_with_certain_dropout_a_zero_is_certain_and_a_count_is_not_impossible_to_differentiate():
    logit = torch.full((2,), 200.0, requires_grad=True)
    value = zinb_log_prob(torch.tensor([0.0, 3.0]), torch.tensor(2.0), torch.tensor(1.0), logit)
    assert value[0].item() == pytest.approx(0, abs=1e-6)
    assert value[1].item() == pytest.approx(-200, rel=0.1)
    value.sum().backward()
    torch.testing.assert_close(logit.grad, torch.tensor([0.0, -1.0]))


def test_probabilities_sum_to_one():
    x = torch.arange(2000.0, dtype=torch.float64)
    p = zinb_log_prob(x, *(torch.tensor(v).double() for v in (3.0, 0.6, -0.5))).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-9)
    assert (p * x).sum().item() == pytest.approx(3.0 * expit(0.5), rel=1e-6)


def test_gradient_check():
    x = torch.tensor([0.0, 0.0, 1.0, 15.0], dtype=torch.float64)
    parameters = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for v in ([0.2, 3.0, 1.5, 9.0], [0.4, 2.0, 11.0, 3.0], [-2.0, 1.0, 0.3, -4.0])
    ]
    assert torch.autograd.gradcheck(lambda *p: zinb_log_prob(x, *p), parameters)


def test_nll_is_the_mean():
    values = grid()
    assert zinb_nll(*values).item() == pytest.approx(-zinb_log_prob(*values).mean().item())


def test_posterior_mean_of_a_zero_lies_between_its_two_explanations():
    mean, theta = torch.tensor(4.0, dtype=torch.float64), torch.tensor(2.0, dtype=torch.float64)
    zero = torch.tensor(0.0, dtype=torch.float64)
    seen = float(posterior_mean(zero, mean, theta))
    pi = 0.3
    p_zero = pi + (1 - pi) * (2 / 6) ** 2
    expected = (pi * 4.0 + (1 - pi) * (2 / 6) ** 2 * seen) / p_zero
    logit = torch.tensor(np.log(pi / (1 - pi)), dtype=torch.float64)
    assert float(zinb_posterior_mean(zero, mean, theta, logit)) == pytest.approx(expected, rel=1e-9)


def test_posterior_mean_of_a_count_above_zero_is_that_of_nb():
    x, mean, theta = (torch.tensor(value) for value in (3.0, 4.0, 2.0))
    assert zinb_posterior_mean(x, mean, theta, torch.tensor(5.0)) == posterior_mean(x, mean, theta)
