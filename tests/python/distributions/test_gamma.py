import numpy as np
import pytest
import torch
from scipy.special import digamma, gammaln

from clearspot.distributions.gamma import count_prefixes, log_rising_factorial, rising_factorial_sorted

THETAS = [1e-4, 3e-3, 0.5, 1.0, 17.0, 1e3, 1e4]
COUNTS = [0, 1, 2, 7, 8, 9, 10, 55, 1000, 100_000]


def grid(dtype):
    theta, x = np.meshgrid(THETAS, COUNTS, indexing="ij")
    return torch.tensor(theta, dtype=dtype), torch.tensor(x, dtype=dtype)


def test_equals_the_difference_of_scipys_log_gammas():
    theta, x = grid(torch.float64)
    expected = gammaln(x.numpy() + theta.numpy()) - gammaln(theta.numpy())
    np.testing.assert_allclose(log_rising_factorial(theta, x).numpy(), expected, rtol=1e-9, atol=1e-9)


def test_single_precision_keeps_its_digits_where_log_gammas_lose_them():
    theta, x = grid(torch.float32)
    theta64, x64 = grid(torch.float64)
    exact = log_rising_factorial(theta64, x64)
    error = (log_rising_factorial(theta, x) - exact).abs() / exact.abs().clamp(min=1e-3)
    naive = torch.lgamma(x + theta) - torch.lgamma(theta)
    naive_error = (naive - exact).abs() / exact.abs().clamp(min=1e-3)
    assert error.max() < 2e-6
    assert naive_error.max() > 100 * error.max()


def test_slope_equals_the_difference_of_scipys_digammas():
    theta, x = grid(torch.float64)
    theta.requires_grad_()
    log_rising_factorial(theta, x).sum().backward()
    at = theta.detach().numpy()
    np.testing.assert_allclose(theta.grad.numpy(), digamma(x.numpy() + at) - digamma(at), rtol=1e-8, atol=1e-12)


def test_gradient_check():
    theta = torch.tensor([[0.3, 2.0, 5.0], [40.0, 0.7, 1.0]], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([[0.0, 1.0, 9.0], [300.0, 8.0, 2.0]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda t: log_rising_factorial(t, x), theta)


def test_prefixes_count_what_exceeds_each_small_number():
    x = torch.tensor([20.0, 9.0, 8.0, 3.0, 3.0, 1.0])
    assert count_prefixes(x) == (6, 5, 5, 3, 3, 3, 3, 3, 2)


def test_no_counts_at_all():
    empty = torch.empty(0)
    value, slope = rising_factorial_sorted(empty, empty, count_prefixes(empty))
    assert value.shape == slope.shape == (0,)


@pytest.mark.parametrize("shape", [(3, 1), (1, 4), ()])
def test_broadcasts(shape):
    x = torch.arange(12.0).reshape(3, 4)
    assert log_rising_factorial(torch.ones(shape), x).shape == (3, 4)
