from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from clearspot.dusted.inference import means
from clearspot.dusted.model import build_model
from clearspot.dusted.params import DustedParams
from clearspot.dusted.spectral_start import (
    SELF_GATES,
    choose_self_gate,
    main_directions,
    optimal_shrinkage,
    start_at_directions,
)
from clearspot.dusted.tiles import make_tiles

CPU = torch.device("cpu")
PARAMS = DustedParams.preset("default", hidden=16, latent=4, reduction_ratio=4)


@pytest.fixture
def section(section_of):
    return section_of(PARAMS, rows=20, columns=20, n_genes=40, depth=5.0)


def standardised(section, model):
    """The input as the definition has it, dense."""
    centre, scale = model.centre.numpy().astype(float), model.gene_scale.numpy().astype(float)
    return (section.counts.toarray() * section.input_scale[:, None] - centre) * scale


def test_directions_are_those_of_the_dense_matrix(section):
    model = build_model(section, PARAMS, torch.float32)
    found = main_directions(section, model.centre.numpy(), model.gene_scale.numpy(), 4, 0)
    depth = np.sqrt(section.size_factor.astype(float))[:, None]
    dense = np.minimum(standardised(section, model) * depth, np.sqrt(section.n_spots))
    _, singular, right = np.linalg.svd(dense, full_matrices=False)
    np.testing.assert_allclose(np.abs(found.loadings @ right[:4].T), np.eye(4), atol=1e-3)
    np.testing.assert_allclose(found.spread, singular[:4] / np.sqrt((depth**2).sum()), rtol=1e-4)


def test_one_outburst_is_no_direction(section):
    counts = section.counts.tolil()
    counts[7, 3] = 100_000
    wild = replace(section, counts=sp.csr_matrix(counts))
    model = build_model(section, PARAMS, torch.float32)
    scale = model.gene_scale.numpy()
    calm, found = (main_directions(s, model.centre.numpy(), scale, 2, 0) for s in (section, wild))
    assert abs(found.loadings[0] @ calm.loadings[0]) > 0.9


def test_noise_is_shrunk_to_nothing_and_strong_signal_is_kept():
    aspect = 0.25
    edge = 1 + np.sqrt(aspect)
    shrunk = optimal_shrinkage(np.array([0.5, edge, 1.2 * edge, 50.0]), aspect)
    assert shrunk[:2].tolist() == [0.0, 0.0]
    assert 0.3 < shrunk[2] < 0.9
    assert shrunk[3] > 0.999


def test_noise_beyond_poisson_is_found_gene_by_gene(section_of):
    section = section_of(PARAMS, rows=20, columns=20, n_genes=40, depth=5.0)
    generator = np.random.default_rng(1)
    mean, spread = 6.0, np.where(np.arange(40) < 20, 0.0, 0.5)
    rates = mean * np.where(spread > 0, generator.gamma(2.0, 0.5, (section.n_spots, 40)), 1.0)
    noise = replace(
        section,
        counts=sp.csr_matrix(generator.poisson(rates).astype(np.float32)),
        input_scale=np.ones(section.n_spots, dtype=np.float32),
        size_factor=np.ones(section.n_spots, dtype=np.float32),
    )
    model = build_model(noise, PARAMS, torch.float32)
    start_at_directions(model, noise, seed=0)
    np.testing.assert_allclose(1 / model.gene_scale.numpy() ** 2, mean + spread * mean**2, rtol=0.3)


def test_started_model_is_the_shrunk_projection(section):
    params = replace(PARAMS, self_gate=False, gene_attention=False)
    alone = replace(section, graph=sp.csr_matrix(section.graph.shape, dtype=np.int8))
    model = build_model(alone, params, torch.float32)
    start_at_directions(model, alone, seed=0)
    found = main_directions(alone, model.centre.numpy(), model.gene_scale.numpy(), 4, 0)
    z = standardised(alone, model) @ found.loadings.T
    # as the pairs of units bend it: ELU is linear in small values alone
    expected = (z * found.shrinkage) @ found.loadings / (model.gene_scale.numpy() * model.centre.numpy())
    blocks = list(means(model, alone, make_tiles(alone.graph, None, 10**6), CPU))
    rates = np.concatenate([block.mean for block in blocks]) / alone.size_factor[:, None]
    found_change = rates / np.exp(model.heads.biases[0].detach().numpy())
    change = np.where(expected > 0, 1 + expected, np.exp(expected))
    assert np.corrcoef(found_change.ravel(), change.ravel())[0, 1] > 0.99
    np.testing.assert_allclose(np.median(np.abs(found_change - change)), 0, atol=0.02)


def test_a_start_needs_standardised_input(section_of):
    params = replace(PARAMS, input="log", start="random")
    section = section_of(params)
    with pytest.raises(ValueError, match="standardised"):
        start_at_directions(build_model(section, params, torch.float32), section, seed=0)


def test_fewer_genes_than_latent_columns_are_no_obstacle(section_of):
    params = replace(PARAMS, latent=8, genes=("g1", "g2", "g3"))
    section = section_of(params)
    model = build_model(section, params, torch.float32)
    start_at_directions(model, section, seed=0)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_self_gates_start_where_the_score_is_lowest(section):
    model = build_model(section, PARAMS, torch.float32)
    wanted = SELF_GATES[1]
    choose_self_gate(model, lambda: abs(float(torch.sigmoid(model.self_gates)[0]) - wanted))
    np.testing.assert_allclose(torch.sigmoid(model.self_gates).detach(), wanted, rtol=1e-5)
