"""The layers written with PyTorch alone, against PyTorch Geometric's of the same name."""

import warnings

import pytest
import torch
from torch.testing import assert_close

from clearspot.nn.neighbour_sum import neighbour_sum
from clearspot.nn.spatial_graph_attention import neighbour_softmax

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="`torch.jit.script` is deprecated", category=FutureWarning)
    from torch_geometric.utils import softmax, spmm


def with_gradient(function, leaf, towards):
    leaf = leaf.clone().requires_grad_()
    value = function(leaf)
    return value.detach(), torch.autograd.grad((value * towards).sum(), leaf)[0]


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_softmax_and_its_gradient(neighbourhood, generator, scale):
    scores = scale * torch.randn(neighbourhood.n_edges, generator=generator)
    towards = torch.randn(neighbourhood.n_edges, generator=generator)
    mine = with_gradient(lambda values: neighbour_softmax(values, neighbourhood), scores, towards)
    theirs = with_gradient(lambda values: softmax(values, ptr=neighbourhood.row_start), scores, towards)
    assert_close(mine, theirs, rtol=0, atol=0)


def test_sum_over_neighbours(neighbourhood, generator):
    weights = torch.rand(neighbourhood.n_edges, generator=generator)
    h = torch.randn(neighbourhood.n_spots, 5, generator=generator)
    mine = neighbour_sum(weights, h, neighbourhood)
    assert_close(mine, spmm(neighbourhood.matrix(weights), h), rtol=0, atol=0)
