"""A large section in batches, each of which is one step."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clearspot.dusted import batches, denoise
from clearspot.dusted.batches import Batches, batch_size
from clearspot.dusted.model import build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.parts import part_of, spot_batches
from clearspot.dusted.thinning import thin_counts
from clearspot.dusted.tiles import make_tiles

CPU = torch.device("cpu")
PARAMS = DustedParams.preset("paper", hidden=6, latent=3, reduction_ratio=4, likelihood="nb", holdout=0.2, blind=0.3)


@pytest.fixture
def section(section_of):
    return section_of(PARAMS, rows=14, columns=15)


def batches_of(section, most=40, max_spots=10**6, params=PARAMS):
    def objective(part, held_out, number):
        return Objective(
            part.section, part.tiles, params, CPU, torch.float64, held_out, n_core=part.n_core, part=number
        )

    kept, held_out = thin_counts(section.counts, 0.2, seed=0)
    return Batches(section.thinned(kept, 0.8, params), held_out, params, most, max_spots, objective)


def gradients(objectives, section):
    """Loss of each objective, and the gradient of all."""
    model = build_model(section, PARAMS, torch.float64).double()
    losses = [
        sum(objective.backward(model, number)[0] for number in range(len(objective.tiles))) for objective in objectives
    ]
    return losses, torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def test_visium_sections_are_one_step_and_larger_ones_are_not(section):
    assert batch_size(section, PARAMS) is None
    assert batch_size(section, replace(PARAMS, spots_per_step=50)) == 50
    assert batch_size(section, replace(PARAMS, spots_per_step=10**6)) is None
    assert batches.WHOLE_UP_TO > 14_336


def test_large_sections_are_cut_without_being_asked(section, monkeypatch):
    monkeypatch.setattr(batches, "WHOLE_UP_TO", 100)
    monkeypatch.setattr(batches, "SPOTS_PER_STEP", 64)
    assert batch_size(section, PARAMS) == 64
    assert batch_size(replace(section, positions=None), PARAMS) is None


def test_the_batches_are_a_partition(section):
    cut = spot_batches(section.positions, 40)
    np.testing.assert_array_equal(np.sort(np.concatenate(cut)), np.arange(section.n_spots))
    assert all(20 <= len(batch) <= 40 for batch in cut)


def test_every_batch_comes_once_before_any_comes_again(section, monkeypatch):
    monkeypatch.setattr(batches, "STEPS_PER_EPOCH", 5)
    plan = batches_of(section)
    assert len(plan) == 8
    visits = [number for epoch in range(8) for number in plan.order(epoch)]
    passes = [visits[first : first + 8] for first in range(0, 40, 8)]
    assert all(sorted(one) == list(range(8)) for one in passes)
    assert len({tuple(one) for one in passes}) == 5
    assert plan.order(3) == batches_of(section).order(3)


def test_a_short_section_has_short_epochs(section):
    assert batches_of(section).steps_per_epoch == 8 < batches.STEPS_PER_EPOCH


def test_batches_add_up_to_the_section(section):
    params = replace(PARAMS, blind=0.0)
    plan = batches_of(section, params=params)
    parts = list(plan.steps(0))
    for part in parts:  # a part's loss is a mean over its own spots
        part._scale *= part.n_core / section.n_spots
    losses, gradient = gradients(parts, section)
    whole = Objective(plan._section, make_tiles(section.graph, None, 10**6), params, CPU, torch.float64, plan.held_out)
    expected, full = gradients([whole], section)
    assert sum(losses) == pytest.approx(expected[0], rel=1e-12)
    torch.testing.assert_close(gradient, full)


def test_tiles_make_no_difference_to_a_step(section):
    (one, first), (many, second) = (
        gradients(list(batches_of(section, max_spots=size).steps(4)), section) for size in (10**6, 9)
    )
    assert one == pytest.approx(many, rel=1e-12)
    torch.testing.assert_close(first, second)


def test_every_visit_hides_other_counts(section):
    losses, _ = gradients(list(batches_of(section).steps(0)), section)
    again, _ = gradients(list(batches_of(section).steps(1)), section)
    assert sorted(losses) != pytest.approx(sorted(again), rel=1e-9)


def test_the_score_is_that_of_the_chosen_spots(section, monkeypatch):
    monkeypatch.setattr(batches, "SCORED_BATCHES", 10**6)
    plan = batches_of(section)
    model = build_model(section, PARAMS, torch.float64).double()
    whole = Objective(plan._section, make_tiles(section.graph, None, 10**6), PARAMS, CPU, torch.float64, plan.held_out)
    assert plan.score(model) == pytest.approx(whole.score(model), rel=1e-12)


def test_a_part_has_its_own_rows(section):
    cut = spot_batches(section.positions, 40)
    part = part_of(section, cut[:2], 10)
    np.testing.assert_array_equal(np.sort(part.spots[: part.n_core]), np.sort(np.concatenate(cut[:2])))
    assert (part.rows(section.counts) != part.section.counts).nnz == 0
    with pytest.raises(ValueError, match="positions"):
        part_of(replace(section, positions=None), cut[:2], 10)


@pytest.mark.parametrize("holdout", [0.1, 0.0])
def test_training_in_batches_learns_and_stops(section_factory, holdout):
    settings = {"hidden": 8, "latent": 4, "threads": 1, "lr": 0.001, "progress": False, "holdout": holdout}
    adata = section_factory(rows=14, columns=15, depth=3.0)
    result = denoise(adata, spots_per_step=40, epochs=30, patience=4, **settings)
    assert result.training["loss"].iloc[-1] < result.training["loss"].iloc[0]
    assert len(result.training) == 30 or result.record.metrics["best_epoch"] == len(result.training) - 4
    again = section_factory(rows=14, columns=15, depth=3.0)
    denoise(again, spots_per_step=40, epochs=30, patience=4, max_spots_per_tile=9, **settings)
    np.testing.assert_allclose(again.layers["denoised"], adata.layers["denoised"], rtol=1e-3)


def test_the_learning_rate_of_batches_is_relative(section_factory):
    settings = {"hidden": 8, "latent": 4, "threads": 1, "progress": False, "epochs": 2, "lr": 0.002, "batch_lr": 5.0}
    rates = [
        denoise(section_factory(rows=14, columns=15), **settings, **more).training["learning_rate"].tolist()
        for more in ({}, {"spots_per_step": 40})
    ]
    assert rates == [[0.002, 0.002], [0.01, 0.01]]
