from dataclasses import replace

import numpy as np
import pytest
import torch

from clearspot.dusted.inference import embed, means
from clearspot.dusted.model import build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.section import Section
from clearspot.dusted.tile_data import tile_input
from clearspot.dusted.tiles import make_tiles

CPU = torch.device("cpu")
PARAMS = DustedParams.preset("paper", hidden=8, latent=4, reduction_ratio=4, gene_intercept=True)


def whole(section):
    return make_tiles(section.graph, None, 10**6)


def mean_matrix(model, section: Section) -> np.ndarray:
    out = np.empty((section.n_spots, section.n_genes))
    for block in means(model, section, whole(section), CPU):
        out[block.spots] = block.mean
    return out


@pytest.fixture
def section(section_of):
    return section_of(PARAMS)


@pytest.fixture
def model(section):
    return build_model(section, PARAMS, torch.float64).double()


def permuted_spots(section, order):
    return replace(
        section,
        counts=section.counts[order],
        input_scale=section.input_scale[order],
        size_factor=section.size_factor[order],
        graph=section.graph[order][:, order],
    )


def test_order_of_the_spots_does_not_matter(section, model):
    order = np.random.default_rng(0).permutation(section.n_spots)
    permuted = permuted_spots(section, order)
    np.testing.assert_allclose(mean_matrix(model, permuted), mean_matrix(model, section)[order], rtol=1e-6)
    latent = embed(model, section, whole(section), CPU).latent
    np.testing.assert_allclose(embed(model, permuted, whole(section), CPU).latent, latent[order], rtol=1e-5, atol=1e-7)


def test_order_of_the_genes_does_not_matter(section, model):
    order = torch.from_numpy(np.random.default_rng(0).permutation(section.n_genes))
    permuted = replace(section, counts=section.counts[:, order.numpy()])
    twin = build_model(permuted, PARAMS, torch.float64).double()
    state = model.state_dict()
    along = {"encoder_outer": 0, "gene_attention.squeeze.weight": 1, "gene_attention.excite.weight": 0}
    along |= {"gene_attention.excite.bias": 0, "gene_attention.average": 0, "gene_attention.maximum": 0}
    along |= {f"heads.weights.{k}": 1 for k in range(3)} | {f"heads.biases.{k}": 0 for k in range(3)}
    twin.load_state_dict({k: v.index_select(along[k], order) if k in along else v for k, v in state.items()})
    np.testing.assert_allclose(mean_matrix(twin, permuted), mean_matrix(model, section)[:, order.numpy()], rtol=1e-6)


def test_isolated_spot_depends_on_itself_alone(section, model):
    alone = int(np.flatnonzero(np.diff(section.graph.indptr) == 0)[0])
    only = permuted_spots(section, np.array([alone]))
    np.testing.assert_allclose(mean_matrix(model, only)[0], mean_matrix(model, section)[alone], rtol=1e-6)


def test_attention_sums_to_one_in_both_layers(section, model):
    found = embed(model, section, whole(section), CPU)
    for attention in (found.outer, found.inner):
        np.testing.assert_allclose(np.bincount(found.receiver, attention), 1, rtol=1e-5)
    assert len(found.receiver) == section.graph.nnz + section.n_spots


def test_tied_weight_is_one_parameter_with_the_gradient_of_both_uses(section):
    objective = Objective(section, whole(section), PARAMS, CPU, torch.float64)
    tied = build_model(section, PARAMS, torch.float64).double()
    untied = build_model(section, replace(PARAMS, tied_weights=False), torch.float64).double()
    assert "decoder_inner" not in dict(tied.named_parameters())
    untied.load_state_dict(tied.state_dict() | {"decoder_inner": tied.encoder_inner.t()}, strict=True)
    objective.backward(tied, 0)
    objective.backward(untied, 0)
    both = untied.encoder_inner.grad + untied.decoder_inner.grad.t()
    torch.testing.assert_close(tied.encoder_inner.grad, both)
    assert untied.decoder_inner.grad.abs().max() > 0


def test_decoder_attention_carries_gradient_to_the_encoders_vectors(section, model):
    neighbour_only = Objective(section, whole(section), PARAMS, CPU, torch.float64)
    neighbour_only.backward(model, 0)
    for scores in (model.scores_outer, model.scores_inner):
        assert scores.neighbour.grad.abs().max() > 0


def test_seed_decides_the_initialisation_whatever_was_drawn_before(section):
    first = build_model(section, PARAMS, torch.float32).state_dict()
    torch.rand(17)
    again = build_model(section, PARAMS, torch.float32).state_dict()
    other = build_model(section, replace(PARAMS, seed=1), torch.float32).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder_outer"], other["encoder_outer"])


def test_intercepts_start_at_the_genes_mean_rates(section):
    model = build_model(section, PARAMS, torch.float32)
    rates = np.asarray(section.counts.sum(axis=0)).ravel() / section.size_factor.sum()
    np.testing.assert_allclose(model.heads.biases[0].detach().exp().numpy(), rates, rtol=1e-4)


def test_self_gate_lets_a_spot_keep_nearly_all_attention_and_the_sum_stays_1(section):
    params = replace(PARAMS, self_gate=True)
    model = build_model(section, params, torch.float32)
    with torch.no_grad():
        model.self_gates.fill_(4.0)
    source = tile_input(section, whole(section)[0], CPU, torch.float32)
    receiver, neighbour = source.neighbourhood.receiver.numpy(), source.neighbourhood.neighbour.numpy()
    encoded = model.encode(source.x, source.neighbourhood)
    for attention in (encoded.outer.detach().numpy(), encoded.inner.detach().numpy()):
        np.testing.assert_allclose(np.bincount(receiver, attention), 1.0, rtol=1e-5)
        assert attention[receiver == neighbour].min() > 0.98


def test_embedding_and_published_attention_are_without_the_self_gates(section):
    model = build_model(section, replace(PARAMS, self_gate=True), torch.float32)
    before = embed(model, section, whole(section), CPU)
    with torch.no_grad():
        model.self_gates.fill_(4.0)
    after = embed(model, section, whole(section), CPU)
    np.testing.assert_array_equal(after.latent, before.latent)
    np.testing.assert_array_equal(after.outer, before.outer)
