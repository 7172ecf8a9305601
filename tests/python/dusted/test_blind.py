from dataclasses import replace

import numpy as np
import torch

from clearspot.dusted.model import build_model
from clearspot.dusted.objective import Objective
from clearspot.dusted.params import DustedParams
from clearspot.dusted.tiles import make_tiles

CPU = torch.device("cpu")
PARAMS = DustedParams.preset("paper", hidden=8, latent=4, reduction_ratio=4, likelihood="nb", blind=0.3)


def objective_of(section, params=PARAMS, tiles=None):
    return Objective(section, tiles or make_tiles(section.graph, None, 10**6), params, CPU, torch.float64)


def loss_of(objective, model, epoch):
    objective.begin_epoch(epoch)
    return sum(objective.backward(model, number)[0] for number in range(len(objective.tiles)))


def test_what_the_input_lacks_is_what_the_loss_is_over(section_of):
    section = section_of(PARAMS)
    objective = objective_of(section)
    objective.begin_epoch(0)
    seen, unseen = objective._seen, objective._unseen
    assert ((seen.counts + unseen.counts) != section.counts).nnz == 0
    np.testing.assert_allclose(unseen.size_factor, 0.3 * section.size_factor, rtol=1e-6)
    assert 0.2 < unseen.counts.sum() / section.counts.sum() < 0.4


def test_every_epoch_draws_anew_and_the_same_epoch_the_same(section_of):
    section = section_of(PARAMS)
    model = build_model(section, PARAMS, torch.float64).double()
    objective = objective_of(section)
    first, second, again = (loss_of(objective, model, epoch) for epoch in (0, 1, 0))
    assert first == again
    assert first != second


def test_tiles_make_no_difference(section_of):
    section = section_of(PARAMS, rows=12, columns=12)
    model = build_model(section, PARAMS, torch.float64).double()
    tiles = make_tiles(section.graph, section.positions, 30)
    assert len(tiles) > 1
    whole, cut = objective_of(section), objective_of(section, tiles=tiles)
    np.testing.assert_allclose(loss_of(cut, model, 3), loss_of(whole, model, 3), rtol=1e-6)


def test_without_it_input_and_loss_are_over_all_counts(section_of):
    section = section_of(PARAMS)
    params = replace(PARAMS, blind=0.0)
    model = build_model(section, params, torch.float64).double()
    objective = objective_of(section, params)
    assert loss_of(objective, model, 0) == loss_of(objective, model, 1)
