"""Which mean is reported: that of the draws where held-out spots said that diffusion does better, else stage 1's."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from clearspot.diffst.generate.predicting import predict
from clearspot.diffst.generate.verdict import Verdict
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.fitting import fit
from tests.helpers.diffst_sections import read_made

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trained():
    section, histology = read_made(PARAMS)
    return section, histology, fit(section, histology, PARAMS, CPU, progress=False)


def predicted(trained, tmp_path, *, diffusion_wins, spread_is_of_draws=True):
    section, histology, fitted = trained
    told = {"n_spots": 10, "diffusion_wins": diffusion_wins, "spread_is_of_draws": spread_is_of_draws}
    numbers = dict.fromkeys(Verdict.__dataclass_fields__, 0.5)
    fitted.verdict = Verdict(**numbers | told)
    return predict(section, histology, fitted, PARAMS, CPU, tmp_path, progress=False)


def test_the_draws_mean_is_reported_where_diffusion_won(trained, tmp_path):
    maps = predicted(trained, tmp_path, diffusion_wins=True)
    draws = maps.programs_of_draws
    np.testing.assert_allclose(maps.best_programs(), np.mean(draws, axis=0), rtol=1e-5, atol=1e-6)
    assert not np.allclose(maps.best_programs(), maps.mean)


def test_stage_one_is_reported_where_it_did_not(trained, tmp_path):
    maps = predicted(trained, tmp_path, diffusion_wins=False)
    np.testing.assert_array_equal(maps.best_programs(), maps.mean)


def test_draws_are_centred_on_what_is_reported(trained, tmp_path):
    maps = predicted(trained, tmp_path, diffusion_wins=False)
    draws = np.stack(maps.programs_of_draws)
    assert (draws.std(axis=0) > 0).mean() > 0.9
    # all but the few bins in which hardly a draw has anything, where they stay below
    average = draws.mean(axis=0)
    assert np.isclose(average, maps.mean, rtol=1e-3).mean() > 0.99
    assert (average <= maps.mean * 1.001).all()


def test_without_the_diffusion_only_the_genes_own_noise_spreads(trained, tmp_path):
    maps = predicted(trained, tmp_path, diffusion_wins=False, spread_is_of_draws=False)
    assert len(maps.programs_of_draws) == PARAMS.samples
    for programs in maps.programs_of_draws:
        np.testing.assert_array_equal(programs, maps.mean)
    alone = replace(maps, draws=())
    genes = slice(0, 3)
    for number, programs in enumerate(maps.programs_of_draws):
        told, without = (one.decoder().chunk(genes).draw(number, programs, projected=False) for one in (maps, alone))
        np.testing.assert_array_equal(told, without)
        assert not np.allclose(told, maps.decoder().chunk(genes).mean(maps.mean))
