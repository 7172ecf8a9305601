"""The ship rule on a section whose fine expression is known: diffusion wins where it knows more, and only there."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy import ndimage

from clearspot.diffst.data.holdout import split_spots
from clearspot.diffst.data.make_views import section_view
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.generate.sampling import add_residual, centring
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training import ship_rule
from clearspot.diffst.training.ship_rule import Forecast, chosen_amplitude, compare
from tests.helpers.diffst_sections import N_GENES, read_made

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, holdout=0.4)
N_PROGRAMS, N_DRAWS, SEED = 2, 8, 0


class Known:
    """Flat mean; truth that changes within a pitch; counts that spots capture of it."""

    def __init__(self):
        rng = np.random.default_rng(5)
        section, histology = read_made(PARAMS)
        self.split = split_spots(section, PARAMS)
        values = np.full((len(section.rows), N_PROGRAMS), 200, dtype=np.float32)
        self.view = section_view(
            section, values, histology, tissue=tissue_of(section), training=self.split.training, n_patterns=0, seed=SEED
        )
        self.loadings = rng.dirichlet(np.ones(N_GENES), N_PROGRAMS).astype(np.float32)
        self.mean = np.ones((N_PROGRAMS, *self.view.shape), dtype=np.float32)
        self.sd = np.full(N_PROGRAMS, 0.4, dtype=np.float32)
        self.detail = self.field(rng)
        self.counts = sp.csr_matrix(rng.poisson(self.captured(add_residual(self.mean, self.detail, self.sd, 1.0))))
        seen = np.flatnonzero(self.split.training)
        self.pairs = self.counts[seen].toarray(), self.captured(self.mean)[seen]

    def field(self, rng):
        """Unit variance, smooth over a spot."""
        smooth = ndimage.gaussian_filter(rng.standard_normal(self.mean.shape), (0, 2, 2))
        return (smooth / smooth.std()).astype(np.float32)

    def captured(self, programs):
        amounts = (programs * self.view.scale[:, None, None]).reshape(N_PROGRAMS, -1).T
        return (self.view.operator @ amounts) @ self.loadings

    def verdict(self, residuals):
        forecast = Forecast(self.view, self.loadings, self.mean, residuals, self.sd)
        return compare(forecast, self.split, self.counts, self.pairs, seed=SEED)


@pytest.fixture(scope="module")
def known():
    return Known()


def draws(known, share):
    """Draws that know a share of the detail; the rest of their variance is chance."""
    rng = np.random.default_rng(9)
    return [
        (share * known.detail + np.sqrt(1 - share**2) * known.field(rng)).astype(np.float32) for _ in range(N_DRAWS)
    ]


def test_draws_that_know_the_detail_win(known):
    verdict = known.verdict(draws(known, 0.9))
    assert verdict.diffusion_wins
    assert verdict.crps_diffusion < min(verdict.crps_mean, verdict.crps_spread)
    assert verdict.correlation_diffusion > verdict.correlation_mean + 0.2
    assert verdict.amplitude == pytest.approx(1, abs=0.25)
    assert verdict.coverage == verdict.coverage_diffusion


def test_draws_that_know_nothing_lose_and_their_spread_does_no_harm(known):
    verdict = known.verdict(draws(known, 0.0))
    assert not verdict.diffusion_wins
    assert verdict.crps_spread < 1.02 * verdict.crps_mean
    assert verdict.spread_is_of_draws
    assert verdict.coverage == verdict.coverage_spread
    assert verdict.coverage_spread > 0.85


def test_draws_that_are_all_off_in_the_same_way_harm_only_as_a_mean(known):
    off = [one - 1.5 for one in draws(known, 0.0)]
    verdict = known.verdict(off)
    assert not verdict.diffusion_wins
    assert verdict.crps_spread < verdict.crps_diffusion


def test_draws_that_predict_worse_than_the_genes_own_noise_are_left_out(known, monkeypatch):
    # the least amplitude that may be chosen is far too large here
    monkeypatch.setattr(ship_rule, "AMPLITUDES", (6.0,))
    verdict = known.verdict(draws(known, 0.0))
    assert not verdict.diffusion_wins
    assert not verdict.spread_is_of_draws
    assert verdict.crps_spread > verdict.crps_mean
    assert verdict.coverage == verdict.coverage_mean


def test_a_single_draw_says_nothing(known):
    assert known.verdict(draws(known, 0.9)[:1]) is None


def test_too_few_spots_say_nothing(known, monkeypatch):
    none_choose = replace(known.split, choosing=np.zeros_like(known.split.choosing))
    monkeypatch.setattr(known, "split", none_choose)
    assert known.verdict(draws(known, 0.9)) is None


def test_centred_draws_average_to_the_mean(known):
    programs = [add_residual(known.mean, one - 1.5, known.sd, 1.0) for one in draws(known, 0.0)]
    factor = centring(known.mean, programs)
    average = np.mean([one * factor for one in programs], axis=0)
    # but where next to nothing was drawn
    usual = np.mean(programs, axis=0) > 0.05
    assert usual.mean() > 0.8
    np.testing.assert_allclose(average[usual], known.mean[usual], rtol=1e-5)
    assert (average <= known.mean * (1 + 1e-5)).all()


def test_a_mean_of_nothing_stays_nothing():
    nothing = np.zeros((1, 2, 2), dtype=np.float32)
    assert (centring(nothing, [nothing + 1, nothing]) == 0).all()


@pytest.mark.parametrize(
    ("scores", "nearest", "expected"),
    [
        ({0.5: 1.0, 1.0: 1.005, 2.0: 1.2}, 1.0, 1.0),
        ({0.5: 1.0, 1.0: 1.05, 2.0: 1.2}, 1.0, 0.5),
        ({0.25: 1.0, 0.5: 1.002, 1.0: 1.1, 3.0: 1.001}, 1.0, 0.5),
        ({0.5: 1.0, 1.0: 1.005}, None, 0.5),
    ],
)
def test_a_factor_far_from_what_was_learned_must_be_better_by_more_than_nothing(scores, nearest, expected):
    assert chosen_amplitude(scores, nearest) == expected
