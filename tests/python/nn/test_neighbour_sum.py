import torch
from torch_geometric.nn import MessagePassing

from clearspot.nn.neighbour_sum import neighbour_sum


class PerEdge(MessagePassing):
    """The textbook form: gather along edges, weight, scatter."""

    def forward(self, x: torch.Tensor, edges: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return self.propagate(edges, x=x, weight=weight)

    def message(self, x_j: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return weight[:, None] * x_j


def values(neighbourhood, generator):
    weights = torch.rand(neighbourhood.n_edges, generator=generator, dtype=torch.float64)
    h = torch.randn(neighbourhood.n_spots, 5, generator=generator, dtype=torch.float64)
    return weights.requires_grad_(), h.requires_grad_()


def test_equals_message_passing_in_value_and_gradient(neighbourhood, generator):
    weights, h = values(neighbourhood, generator)
    edges = torch.stack([neighbourhood.neighbour, neighbourhood.receiver])
    seed = torch.randn(h.shape, generator=generator, dtype=torch.float64)
    ours = neighbour_sum(weights, h, neighbourhood)
    theirs = PerEdge(aggr="sum")(h, edges, weights)
    torch.testing.assert_close(ours, theirs)
    gradients = torch.autograd.grad((ours * seed).sum(), (weights, h))
    expected = torch.autograd.grad((theirs * seed).sum(), (weights, h))
    torch.testing.assert_close(gradients, expected)


def test_gradient_check(neighbourhood, generator):
    assert torch.autograd.gradcheck(lambda w, h: neighbour_sum(w, h, neighbourhood), values(neighbourhood, generator))


def test_isolated_spot_keeps_its_own_value(neighbourhood, generator):
    _, h = values(neighbourhood, generator)
    ones = torch.ones(neighbourhood.n_edges, dtype=torch.float64)
    torch.testing.assert_close(neighbour_sum(ones, h, neighbourhood)[-1], h[-1])
