import math
from dataclasses import replace

import pytest
import torch

from clearspot.dusted.model import build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.thinning import thin_counts
from clearspot.dusted.tiles import make_tiles
from clearspot.dusted.training import (
    TrainingState,
    new_optimizer,
    new_schedule,
    train,
)
from clearspot.learning.divergence import TrainingDivergedError

CPU = torch.device("cpu")
PARAMS = DustedParams.preset("paper", hidden=8, latent=4, reduction_ratio=4, epochs=12, lr=1e-2)


def run(section, params, max_spots=10**6, **kwargs):
    held_out = None
    if params.holdout:
        kept, held_out = thin_counts(section.counts, params.holdout, params.seed)
        section = section.thinned(kept, 1 - params.holdout, params)
    tiles = make_tiles(section.graph, section.positions, max_spots)
    objective = Objective(section, tiles, params, CPU, torch.float32, held_out)
    model = build_model(section, params, torch.float32)
    return model, trained(model, objective, params, **kwargs), objective


def trained(model, objective, params, **kwargs):
    optimizer = new_optimizer(model, params)
    return train(model, optimizer, new_schedule(optimizer, params), objective, params, **kwargs)


def test_loss_falls(section_of):
    _, state, _ = run(section_of(PARAMS), PARAMS)
    assert state.epoch == len(state.loss) == len(state.lr) == 12
    assert state.loss[-1] < 0.95 * state.loss[0]


def test_restored_state_is_the_best_not_the_last(section_of):
    # a rate so high that the loss goes up again
    params = replace(PARAMS, lr=0.3, epochs=2)
    model, state, objective = run(section_of(params), params)
    assert state.best_epoch == 0
    assert state.loss[-1] > 2 * state.loss[0]
    assert objective.backward(model, 0)[0] == pytest.approx(min(state.loss), rel=1e-6)


def test_best_state_is_a_copy_that_later_steps_do_not_touch(section_of):
    model = build_model(section_of(PARAMS), PARAMS, torch.float32)
    state = TrainingState()
    state.keep_if_best(1.0, model)
    before = model.encoder_outer.detach().clone()
    with torch.no_grad():
        model.encoder_outer.add_(1)
    state.keep_if_best(2.0, model)
    torch.testing.assert_close(state.best_state["encoder_outer"], before)
    state.keep_if_best(0.5, model)
    torch.testing.assert_close(state.best_state["encoder_outer"], before + 1)


def test_same_seed_same_result_to_the_last_bit(section_of):
    (one, _, _), (two, _, _) = (run(section_of(PARAMS), PARAMS) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True))


def test_adding_up_tiles_is_full_batch_training(section_of):
    _, whole, _ = run(section_of(PARAMS), PARAMS)
    _, tiled, objective = run(section_of(PARAMS), PARAMS, max_spots=10)
    assert len(objective.tiles) > 3
    assert tiled.loss == pytest.approx(whole.loss, rel=1e-4)


def test_patience_stops_by_the_held_out_score(section_of):
    params = replace(PARAMS, holdout=0.2, patience=2, epochs=200, lr=0.05)
    _, state, _ = run(section_of(params), params)
    assert state.epoch < 200
    assert state.best_epoch == state.epoch - 3
    assert state.best_value == min(state.score)
    assert len(state.score) == state.epoch


def test_finished_run_is_not_trained_further(section_of):
    model, state, objective = run(section_of(PARAMS), PARAMS)
    before = list(state.loss)
    again = trained(model, objective, PARAMS, state=state)
    assert again.loss == before


def test_divergence_is_said(section_of):
    with pytest.raises(TrainingDivergedError, match="learning rate"):
        run(section_of(PARAMS), replace(PARAMS, lr=1e30))


def test_warm_up_and_cosine(section_of):
    params = replace(PARAMS, schedule="cosine", warmup_epochs=4, epochs=20, lr=1e-3, patience=None)
    _, state, _ = run(section_of(params), params)
    rates = [rate / params.lr for rate in state.lr]
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert rates[12] == pytest.approx(0.5)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(0.5 * (1 + math.cos(math.pi * 15 / 16)))


def test_constant_rate(section_of):
    _, state, _ = run(section_of(PARAMS), PARAMS)
    assert state.lr == [1e-2] * 12


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_rates_of_other_weights_are_relative_to_it(section_of, schedule):
    params = replace(PARAMS, schedule=schedule, first_layer_lr=0.5, attention_lr=30.0)
    model = build_model(section_of(params), params, torch.float32)
    optimizer = new_optimizer(model, params)
    rates = new_schedule(optimizer, params)
    for _ in range(5):
        usual, first, attention = (group["lr"] for group in optimizer.param_groups[:3])
        assert (first / usual, attention / usual) == pytest.approx((0.5, 30.0))
        optimizer.step()
        rates.step()


def test_intercepts_do_not_decay(section_of):
    params = replace(PARAMS, gene_intercept=True, weight_decay=0.1)
    model = build_model(section_of(params), params, torch.float32)
    optimizer = new_optimizer(model, params)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    after = dict(model.named_parameters())
    assert {name for name in before if name.startswith("heads.biases")} == {f"heads.biases.{k}" for k in range(3)}
    for name, value in before.items():
        moved = not torch.equal(after[name], value)
        assert moved != name.startswith("heads.biases"), name
