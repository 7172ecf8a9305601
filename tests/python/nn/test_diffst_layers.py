"""The layers of super-resolution, each against what defines it."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from clearspot.diffst.networks.residual_diffusion import new_scheduler, noise_of
from clearspot.nn.cross_attention import visible_fraction
from clearspot.nn.disentangle import disentangling_loss
from clearspot.nn.gene_graph_network import GeneGraphNetwork, gene_features
from clearspot.nn.pixel_norm import PixelNorm, residual_block


def test_pixel_norm_is_a_layer_norm_of_each_pixel():
    x = torch.randn(2, 6, 3, 4, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), (6,)).permute(0, 3, 1, 2)
    assert_allclose(PixelNorm(6)(x).detach(), expected, atol=1e-6)


def test_a_residual_block_does_not_see_beyond_its_convolutions():
    torch.manual_seed(0)
    block = residual_block(4, 4)
    x = torch.randn(1, 4, 12, 12)
    other = x.clone()
    other[:, :, :, 8:] += 5
    difference = (block(x, None) - block(other, None)).abs().amax(dim=(0, 1, 2))
    assert (difference[:6] == 0).all()
    assert difference[8] > 0


@pytest.mark.parametrize(("step", "share"), [(0, 0.25), (50, 0.625), (100, 1.0), (500, 1.0)])
def test_the_curriculum_ends_with_every_cell_token(step, share):
    assert visible_fraction(step, 100) == pytest.approx(share)


def test_without_a_curriculum_every_token_is_shown_at_once():
    assert visible_fraction(0, 0) == 1.0


def test_the_disentangling_loss_is_blind_to_length_and_bounded():
    generator = torch.Generator().manual_seed(0)
    parts = [torch.randn(1, 5, 4, 4, generator=generator) for _ in range(4)]
    both = torch.ones(1, 1, 4, 4)
    loss = disentangling_loss(*parts, both)
    assert 0 <= loss <= 4
    assert_allclose(disentangling_loss(parts[0], 100 * parts[1], *parts[2:], both), loss, rtol=1e-5)


def test_the_disentangling_loss_is_zero_where_it_should_be():
    shared, private = torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    shared[:, 0], private[:, 1] = 1, 1
    assert disentangling_loss(shared, private, 2 * shared, private, torch.ones(1, 1, 3, 3)) == pytest.approx(
        0, abs=1e-6
    )


def test_gene_permutation_permutes_the_gene_graph_networks_output():
    torch.manual_seed(0)
    network = GeneGraphNetwork(3, 8)
    torch.nn.init.normal_(network.out.weight)
    loadings = torch.rand(3, 7)
    edges = torch.tensor([[0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 0]])
    weights = torch.ones(7)
    order = torch.tensor([3, 0, 6, 2, 5, 1, 4])
    place = torch.argsort(order)
    straight = network(gene_features(loadings), edges, weights)
    permuted = network(gene_features(loadings[:, order]), place[edges], weights)
    assert_allclose(permuted.detach(), straight[:, order].detach(), rtol=1e-5)


def test_the_gene_graph_network_changes_nothing_before_training():
    network = GeneGraphNetwork(2, 4)
    features = gene_features(torch.rand(2, 5))
    found = network(features, torch.tensor([[0, 1], [1, 0]]), torch.ones(2))
    assert_allclose(found.detach(), np.ones((2, 5)))


def test_the_schedulers_noise_levels_are_those_of_edm():
    """Karras et al. 2022, equation 5, rho = 7."""
    scheduler = new_scheduler(0.02, 20.0)
    scheduler.set_timesteps(6)
    ramp = np.linspace(0, 1, 6)
    expected = (20.0 ** (1 / 7) + ramp * (0.02 ** (1 / 7) - 20.0 ** (1 / 7))) ** 7
    assert_allclose(scheduler.sigmas[:6], expected, rtol=1e-5)


def test_preconditioning_is_that_of_edm():
    """Karras et al. 2022, table 1, with a standard deviation of the data of 1."""
    scheduler = new_scheduler(0.02, 20.0)
    sigma = torch.tensor(3.0)
    x, raw = torch.tensor([2.0]), torch.tensor([0.5])
    assert_allclose(scheduler.precondition_inputs(x, sigma), 2.0 / np.sqrt(3.0**2 + 1))
    expected = 2.0 / (3.0**2 + 1) + 0.5 * 3.0 / np.sqrt(3.0**2 + 1)
    assert_allclose(scheduler.precondition_outputs(x, raw, sigma), expected, rtol=1e-6)
    assert noise_of(3.0) == pytest.approx(np.log(3.0) / 4)
