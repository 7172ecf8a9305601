import pytest
import torch

from clearspot.distributions import nb_log_prob, zinb_log_prob
from clearspot.nn.output_activations import dispersion_activation, mean_activation
from clearspot.nn.zero_terms import nb_zero_terms, zinb_zero_terms
from clearspot.nn.zero_terms_inplace import Workspace, nb_zero_terms_, zinb_zero_terms_


def logits(heads: int, spread: float, dtype=torch.float64) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    return tuple((torch.randn(9, 14, generator=generator) * spread).to(dtype) for _ in range(heads))


SIZE = torch.linspace(0.3, 3.0, 9, dtype=torch.float64)[:, None]


def textbook(values):
    """Loss by the distributions, gradients by autograd."""
    leaves = [value.clone().requires_grad_() for value in values]
    mean, dispersion = mean_activation(leaves[0], SIZE), dispersion_activation(leaves[1])
    zeros = torch.zeros_like(mean)
    log_prob = (
        nb_log_prob(zeros, mean, dispersion) if len(leaves) == 2 else zinb_log_prob(zeros, mean, dispersion, leaves[2])
    )
    loss = -log_prob.sum()
    return loss, torch.autograd.grad(loss, leaves)


# spread 8 and 40 put logits outside the bounds of mean and dispersion, and drop-out into 0 and 1
@pytest.mark.parametrize("spread", [0.5, 8.0, 40.0])
@pytest.mark.parametrize(("plain", "heads"), [(nb_zero_terms, 2), (zinb_zero_terms, 3)])
def test_formulas_equal_the_textbook_and_its_autograd(plain, heads, spread):
    values = logits(heads, spread)
    loss, gradients = textbook(values)
    terms = plain(*values, SIZE)
    torch.testing.assert_close(terms.loss, loss)
    torch.testing.assert_close(terms.gradients, gradients)


@pytest.mark.parametrize("spread", [0.5, 8.0, 40.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    ("plain", "inplace", "heads"), [(nb_zero_terms, nb_zero_terms_, 2), (zinb_zero_terms, zinb_zero_terms_, 3)]
)
def test_in_place_form_equals_the_formulas(plain, inplace, heads, dtype, spread):
    values = logits(heads, spread)
    terms = plain(*values, SIZE)
    written = [value.to(dtype).clone() for value in values]
    loss, expected = inplace(*written, SIZE.to(dtype), Workspace())
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == torch.float32 else {}
    torch.testing.assert_close(loss.double(), terms.loss, **tolerance)
    torch.testing.assert_close(expected.double(), terms.expected, **tolerance)
    for ours, gradient in zip(written, terms.gradients, strict=True):
        torch.testing.assert_close(ours.double(), gradient, **tolerance)


def test_expected_counts_are_the_mean_less_dropout():
    a, b, c = logits(3, 1.0)
    expected = (mean_activation(a, SIZE) * torch.sigmoid(-c)).sum()
    torch.testing.assert_close(zinb_zero_terms(a, b, c, SIZE).expected, expected)
    torch.testing.assert_close(nb_zero_terms(a, b, SIZE).expected, mean_activation(a, SIZE).sum())


def test_workspace_serves_a_shorter_last_block():
    workspace = Workspace()
    a, b = logits(2, 1.0)
    nb_zero_terms_(a.clone(), b.clone(), SIZE, workspace)
    short = [a[:3].clone(), b[:3].clone()]
    loss, _ = nb_zero_terms_(*short, SIZE[:3], workspace)
    torch.testing.assert_close(loss, nb_zero_terms(a[:3], b[:3], SIZE[:3]).loss)
