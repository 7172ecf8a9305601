import pytest
import torch

from clearspot.nn.dense_product import dense_product, raw_product


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("bias", [False, True])
def test_equals_the_plain_product(dtype, bias, generator):
    a, b = (torch.randn(shape, generator=generator).to(dtype) for shape in ((70, 40), (40, 30)))
    add = torch.randn(30, generator=generator).to(dtype) if bias else None
    expected = a.double() @ b.double() + (0 if add is None else add.double())
    tolerance = 0.1 if dtype == torch.bfloat16 else 1e-4
    torch.testing.assert_close(raw_product(a, b, add).double(), expected, rtol=tolerance, atol=tolerance)


def test_takes_transposed_views(generator):
    a, b = torch.randn(40, 70, generator=generator), torch.randn(30, 40, generator=generator)
    torch.testing.assert_close(raw_product(a.t(), b.t()), a.t() @ b.t(), rtol=1e-4, atol=1e-4)


def test_gradient_check(generator):
    a, b = (torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True) for s in ((5, 4), (4, 3)))
    assert torch.autograd.gradcheck(lambda *ab: dense_product(*ab, torch.float64), (a, b))


def test_result_and_gradients_keep_the_parameters_type(generator):
    a = torch.randn(5, 4, generator=generator).bfloat16()
    b = torch.randn(4, 3, generator=generator, requires_grad=True)
    out = dense_product(a, b, torch.bfloat16)
    out.sum().backward()
    assert out.dtype == b.grad.dtype == torch.float32
    torch.testing.assert_close(b.grad, a.float().sum(dim=0)[:, None].expand(4, 3), rtol=1e-2, atol=1e-2)
