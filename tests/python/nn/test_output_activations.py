import pytest
import torch
from torch.nn.functional import softplus

from clearspot.nn.output_activations import (
    DISPERSION_BOUNDS,
    MEAN_BOUNDS,
    dispersion_activation,
    dropout_activation,
    mean_activation,
)

LOGITS = torch.tensor([-1e5, -50.0, -11.0, -9.0, -0.5, 0.0, 3.0, 13.0, 14.0, 9999.0, 2e4], dtype=torch.float64)


def test_mean_is_equation_2_5_within_its_bounds():
    size = torch.tensor(2.0, dtype=torch.float64)
    torch.testing.assert_close(mean_activation(LOGITS, size), LOGITS.exp().clamp(*MEAN_BOUNDS) * 2)


def test_dispersion_is_equation_2_6_within_its_bounds():
    torch.testing.assert_close(dispersion_activation(LOGITS), softplus(LOGITS).clamp(*DISPERSION_BOUNDS))


def test_dropout_is_equation_2_7():
    torch.testing.assert_close(dropout_activation(LOGITS), 1 / (1 + torch.exp(-LOGITS)))


@pytest.mark.parametrize(("logit", "inside"), [(-12.0, False), (0.0, True), (14.0, False)])
def test_no_gradient_beyond_the_bounds(logit, inside):
    a = torch.tensor(logit, requires_grad=True)
    mean_activation(a, torch.tensor(1.0)).backward()
    assert bool(a.grad != 0) == inside
