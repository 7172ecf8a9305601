import numpy as np
import torch

from clearspot.nn.gene_channel_attention import GeneChannelAttention, residual_gate


def layer(n_genes: int, reduction: int = 4) -> tuple[GeneChannelAttention, np.ndarray]:
    torch.manual_seed(0)
    x = torch.rand(30, n_genes, dtype=torch.float64)
    return GeneChannelAttention(x.mean(dim=0), x.max(dim=0).values, reduction).double(), x.numpy()


def test_is_equation_2_1():
    attention, x = layer(12)
    p = {name: value.detach().numpy() for name, value in attention.named_parameters()}

    def mlp(v):
        hidden = np.maximum(p["squeeze.weight"] @ v + p["squeeze.bias"], 0)
        return p["excite.weight"] @ hidden + p["excite.bias"]

    expected = 1 / (1 + np.exp(-(mlp(x.mean(axis=0)) + mlp(x.max(axis=0)))))
    np.testing.assert_allclose(attention().detach().numpy(), expected, rtol=1e-12)


def test_is_between_zero_and_one_and_one_value_a_gene():
    values = layer(12)[0]().detach()
    assert values.shape == (12,)
    assert ((values > 0) & (values < 1)).all()


def test_hidden_layer_never_vanishes():
    assert layer(3, reduction=16)[0].squeeze.out_features == 1


def test_residual_is_equation_2_2():
    attention, x = layer(12)
    a = attention().detach().numpy()
    gated = x * residual_gate(torch.from_numpy(a), 1.5).numpy()
    np.testing.assert_allclose(gated, x + 1.5 * (a * x), rtol=1e-12)


def test_pooled_input_is_saved_with_the_weights_and_not_trained():
    attention, _ = layer(12)
    assert {"average", "maximum"} <= set(attention.state_dict())
    assert {"average", "maximum"}.isdisjoint(dict(attention.named_parameters()))
