import numpy as np
import pytest
import scipy.sparse as sp
import torch

from clearspot.distributions import nb_log_prob, zinb_log_prob
from clearspot.nn.count_blocks import count_blocks
from clearspot.nn.count_loss import CountLoss, HeldOut
from clearspot.nn.output_activations import dispersion_activation, mean_activation

N, H, G = 11, 4, 7
CPU = torch.device("cpu")


def data(heads, *, bias=True, spread=1.0):
    generator = torch.Generator().manual_seed(2)

    def draw(*shape):
        return (torch.randn(shape, generator=generator, dtype=torch.float64) * spread).requires_grad_()

    inputs = [draw(N, H) for _ in range(heads)]
    weights = [draw(H, G) for _ in range(heads)]
    biases = [draw(G) for _ in range(heads)] if bias else None
    size = torch.rand(N, generator=generator, dtype=torch.float64) + 0.4
    counts = np.random.default_rng(0).negative_binomial(0.4, 0.1, (N, G)) * 1.0
    counts[3] = 0
    return inputs, weights, biases, size, counts


def textbook(inputs, weights, biases, size, counts):
    logits = [
        h @ w + (0 if biases is None else biases[k]) for k, (h, w) in enumerate(zip(inputs, weights, strict=True))
    ]
    mean, dispersion = mean_activation(logits[0], size[:, None]), dispersion_activation(logits[1])
    x = torch.from_numpy(counts)
    if len(logits) == 2:
        return -nb_log_prob(x, mean, dispersion).sum(), mean
    return -zinb_log_prob(x, mean, dispersion, logits[2]).sum(), mean * torch.sigmoid(-logits[2])


def blocks_of(counts, size, rows=4):
    return count_blocks(sp.csr_matrix(counts), size, rows, CPU)


@pytest.mark.parametrize("heads", [2, 3])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("spread", [0.5, 4.0])
def test_value_and_gradients_equal_the_textbook(heads, bias, spread):
    inputs, weights, biases, size, counts = data(heads, bias=bias, spread=spread)
    leaves = [*inputs, *weights, *(biases or [])]
    loss, _ = CountLoss(torch.float64)(inputs, weights, biases, size, blocks_of(counts, size))
    expected, _ = textbook(inputs, weights, biases, size, counts)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss, leaves), torch.autograd.grad(expected, leaves))


@pytest.mark.parametrize("heads", [2, 3])
def test_gradient_check(heads):
    inputs, weights, biases, size, counts = data(heads)
    blocks = blocks_of(counts, size)

    def loss(*leaves):
        return CountLoss(torch.float64)(leaves[:heads], leaves[heads : 2 * heads], leaves[2 * heads :], size, blocks)[0]

    assert torch.autograd.gradcheck(loss, (*inputs, *weights, *biases))


def test_one_input_for_all_heads_gets_the_sum_of_their_gradients():
    inputs, weights, biases, size, counts = data(3)
    shared = [inputs[0]] * 3
    loss, _ = CountLoss(torch.float64)(shared, weights, biases, size, blocks_of(counts, size))
    expected, _ = textbook(shared, weights, biases, size, counts)
    torch.testing.assert_close(torch.autograd.grad(loss, inputs[0]), torch.autograd.grad(expected, inputs[0]))


@pytest.mark.parametrize("rows", [1, 3, 11, 50])
def test_size_of_the_blocks_changes_nothing(rows):
    inputs, weights, biases, size, counts = data(3)
    loss, _ = CountLoss(torch.float64)(inputs, weights, biases, size, blocks_of(counts, size, rows))
    torch.testing.assert_close(loss, textbook(inputs, weights, biases, size, counts)[0])


@pytest.mark.parametrize("heads", [2, 3])
def test_held_out_score_is_the_poisson_likelihood_of_expected_counts(heads):
    inputs, weights, biases, size, counts = data(heads)
    held_out = np.random.default_rng(1).poisson(0.5, (N, G)) * 1.0
    ratio = 0.25
    loss, score = CountLoss(torch.float64)(
        inputs, weights, biases, size, blocks_of(counts, size), HeldOut(blocks_of(held_out, size), ratio)
    )
    expected_loss, expected = textbook(inputs, weights, biases, size, counts)
    mean = expected * ratio
    torch.testing.assert_close(score, (mean - torch.from_numpy(held_out) * mean.log()).sum())
    torch.testing.assert_close(loss, expected_loss)
    assert not score.requires_grad


def test_nothing_is_stored_without_gradients():
    inputs, weights, biases, size, counts = data(3)
    with torch.no_grad():
        loss, _ = CountLoss(torch.float64)(inputs, weights, biases, size, blocks_of(counts, size))
    assert not loss.requires_grad


def test_compiled_form_is_the_same_loss(monkeypatch):
    # the compiler itself is PyTorch's business; that the formulas it is given are the right ones is ours
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    inputs, weights, biases, size, counts = data(3)
    leaves = [*inputs, *weights, *biases]
    blocks = blocks_of(counts, size)
    compiled, _ = CountLoss(torch.float64, compiled=True)(inputs, weights, biases, size, blocks)
    plain, _ = CountLoss(torch.float64)(inputs, weights, biases, size, blocks)
    torch.testing.assert_close(compiled, plain)
    torch.testing.assert_close(torch.autograd.grad(compiled, leaves), torch.autograd.grad(plain, leaves))


def test_half_precision_products_stay_near():
    inputs, weights, biases, size, counts = data(3)
    single = [[t.detach().float().requires_grad_() for t in part] for part in (inputs, weights, biases)]
    blocks = blocks_of(counts, size.float())
    loss, _ = CountLoss(torch.bfloat16)(*single, size.float(), blocks)
    loss.backward()
    assert loss.item() == pytest.approx(textbook(inputs, weights, biases, size, counts)[0].item(), rel=2e-2)
    assert all(t.grad.dtype == torch.float32 for part in single for t in part)
