from dataclasses import replace

import numpy as np
import pytest
import torch

from clearspot.dusted import denoised_store
from clearspot.dusted.denoised_store import by_rows
from clearspot.dusted.inference import embed, means
from clearspot.dusted.model import build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.thinning import thin_counts
from clearspot.dusted.tiles import GRAPH_LAYERS, make_tiles

CPU = torch.device("cpu")
PARAMS = DustedParams.preset("paper", hidden=6, latent=3, reduction_ratio=4, gene_intercept=True, holdout=0.2)


@pytest.fixture
def section(section_of):
    return section_of(PARAMS, rows=14, columns=15)


@pytest.fixture
def tiles(section):
    return make_tiles(section.graph, section.positions, 30)


def objective(section, tiles, **changes):
    kept, held_out = thin_counts(section.counts, 0.2, seed=0)
    params = replace(PARAMS, **changes)
    return Objective(section.thinned(kept, 0.8, params), tiles, params, CPU, torch.float64, held_out)


def test_cores_are_a_partition_and_halos_are_neither_empty_nor_everything(section, tiles):
    cores = np.concatenate([tile.core for tile in tiles])
    np.testing.assert_array_equal(np.sort(cores), np.arange(section.n_spots))
    assert all(tile.n_core <= 30 for tile in tiles)
    assert all(tile.n_core < len(tile.spots) for tile in tiles)
    assert any(len(tile.spots) < section.n_spots for tile in tiles)


def test_halo_is_all_that_the_layers_reach(section, tiles):
    step = np.asarray((section.graph.toarray() > 0) | np.eye(section.n_spots, dtype=bool), dtype=int)
    reached = np.linalg.matrix_power(step, GRAPH_LAYERS) > 0
    for tile in tiles:
        np.testing.assert_array_equal(np.sort(tile.spots), np.flatnonzero(reached[tile.core].any(axis=0)))


@pytest.mark.parametrize("heads", ["shared", "attention"])
def test_values_are_those_of_the_whole_section(section, tiles, heads):
    params = replace(PARAMS, heads=heads)
    model = build_model(section, params, torch.float64).double()
    whole = make_tiles(section.graph, None, 10**6)
    one, many = embed(model, section, whole, CPU), embed(model, section, tiles, CPU)
    for name in ("latent", "receiver", "neighbour", "outer", "inner"):
        np.testing.assert_allclose(getattr(many, name), getattr(one, name), rtol=1e-6, atol=1e-7, err_msg=name)
    expected = np.empty(section.counts.shape)
    for block in means(model, section, whole, CPU):
        expected[block.spots] = block.mean
    for block in means(model, section, tiles, CPU):
        np.testing.assert_allclose(block.mean, expected[block.spots], rtol=1e-6)


@pytest.mark.parametrize("heads", ["shared", "attention"])
def test_loss_score_and_gradients_are_those_of_the_whole_section(section, tiles, heads):
    whole = objective(section, make_tiles(section.graph, None, 10**6), heads=heads)
    tiled = objective(section, tiles, heads=heads)
    models = [build_model(section, whole.params, torch.float64).double() for _ in range(2)]
    one = whole.backward(models[0], 0)
    many = np.sum([tiled.backward(models[1], number) for number in range(len(tiles))], axis=0)
    np.testing.assert_allclose(many, one, rtol=1e-12)
    for (name, a), b in zip(models[0].named_parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(b.grad, a.grad, msg=name)


def test_single_precision_differs_by_rounding_alone(section, tiles):
    gradients = []
    for cut in (make_tiles(section.graph, None, 10**6), tiles):
        model = build_model(section, PARAMS, torch.float32)
        part = objective(section, cut)
        part.compute = torch.float32
        part.__post_init__()
        for number in range(len(cut)):
            part.backward(model, number)
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in model.parameters()]))
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6 * gradients[0].abs().max().item())


def test_one_ring_less_of_halo_would_not_do(section, tiles, monkeypatch):
    monkeypatch.setattr("clearspot.dusted.tiles.GRAPH_LAYERS", GRAPH_LAYERS - 1)
    narrow = make_tiles(section.graph, section.positions, 30)
    model = build_model(section, PARAMS, torch.float64).double()
    differences = [
        np.abs(a.mean - b.mean).max()
        for a, b in zip(means(model, section, narrow, CPU), means(model, section, tiles, CPU), strict=True)
    ]
    assert max(differences) > 1e-9


def test_tiles_without_positions_are_refused(section):
    with pytest.raises(ValueError, match="positions"):
        make_tiles(section.graph, None, 30)


def test_bands_give_the_means_of_the_tiles_in_the_order_of_the_section(section, tiles):
    torch.manual_seed(0)
    model = build_model(section, PARAMS, torch.float64)
    bands = by_rows(section.graph, tiles, 80)
    np.testing.assert_array_equal(np.concatenate([band.core for band in bands]), np.arange(section.n_spots))
    assert len(bands) == 3
    by_tile = np.empty((section.n_spots, section.n_genes), dtype=np.float32)
    for block in means(model, section, tiles, CPU):
        by_tile[block.spots] = block.mean
    by_band = np.concatenate([block.mean for block in means(model, section, bands, CPU)])
    np.testing.assert_allclose(by_band, by_tile, rtol=1e-5)


def test_spots_in_no_spatial_order_are_not_cut_into_bands(section, tiles, monkeypatch):
    order = np.random.default_rng(0).permutation(section.n_spots)
    strewn = section.graph[order][:, order]
    assert by_rows(strewn, tiles, 30) is not tiles
    monkeypatch.setattr(denoised_store, "SPOTS_OF_A_BAND", 60)
    assert by_rows(strewn, tiles, 30) is tiles
