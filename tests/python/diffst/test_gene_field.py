"""What single genes get beyond the programs: their own smooth pattern, and nothing that a spot's genes share."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial import cKDTree

from clearspot.diffst.data.make_views import section_view
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.estimate.plain_estimate import _weights_of_others, choose_smoothing, smooth_ratio
from clearspot.diffst.generate.gene_field import GeneField, spot_factors
from clearspot.diffst.params import DiffstParams
from tests.helpers.diffst_sections import read_made

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1)
N_GENES = 12


class Known:
    """One flat program with every gene the same share of it."""

    def __init__(self):
        section, histology = read_made(PARAMS)
        everyone = np.ones(len(section.rows), dtype=bool)
        values = np.full((len(section.rows), 1), 50.0 * N_GENES, dtype=np.float32)
        self.view = section_view(
            section, values, histology, tissue=tissue_of(section), training=everyone, n_patterns=0, seed=0
        )
        self.everyone, self.x = everyone, section.xy_px[:, 0]
        self.mean = np.ones((1, *self.view.shape), dtype=np.float32)
        self.loadings = np.full((1, N_GENES), 1 / N_GENES, dtype=np.float32)
        amounts = self.view.operator @ (self.mean * self.view.scale[:, None, None]).reshape(1, -1).T
        self.expected = amounts @ self.loadings

    def factors(self, rate):
        counts = sp.csr_matrix(np.random.default_rng(1).poisson(rate).astype(np.int32))
        field = GeneField(self.view, self.everyone, self.mean, self.loadings, counts)
        return field(slice(0, N_GENES)).reshape(*self.view.shape, N_GENES)


@pytest.fixture
def rng():
    return np.random.default_rng(2)


@pytest.fixture(scope="module")
def known():
    return Known()


def test_a_gene_with_a_pattern_of_its_own_gets_it_and_the_others_hardly_anything(known):
    rate = known.expected.copy()
    rate[:, 0] *= np.where(known.x < np.median(known.x), 2.0, 0.5)
    found = known.factors(rate)
    third = known.view.shape[1] // 3
    assert np.median(found[:, :third, 0]) > 1.5
    assert np.median(found[:, -third:, 0]) < 0.7
    assert np.abs(np.log(found[..., 1:])).mean() < 0.1


def test_how_well_spots_capture_is_no_pattern_of_a_gene(known, monkeypatch):
    """Efficiency that varies slowly would else be in the map of every gene."""
    efficiency = (1 + 0.5 * np.sin(known.x / 150))[:, None]
    taken_out = np.abs(np.log(known.factors(efficiency * known.expected))).mean()
    monkeypatch.setattr(
        "clearspot.diffst.generate.gene_field.spot_factors", lambda measured, *_: np.ones_like(measured)
    )
    assert taken_out < 0.03
    assert np.abs(np.log(known.factors(efficiency * known.expected))).mean() > 0.1


def test_a_spots_factor_is_what_its_other_genes_have_in_common(rng):
    expected = rng.uniform(50, 150, (200, 30)).astype(np.float32)
    efficiency = rng.uniform(0.5, 2, (200, 1)).astype(np.float32)
    measured = efficiency * expected
    measured[:, 0] *= 5
    totals = measured.sum(axis=1, keepdims=True), expected.sum(axis=1, keepdims=True)
    first = spot_factors(measured[:, :1], expected[:, :1], totals)
    np.testing.assert_allclose(first / first.mean(), efficiency / efficiency.mean(), rtol=0.03)
    np.testing.assert_allclose((expected[:, :1] * first).sum(), expected[:, 0].sum(), rtol=1e-4)


def test_without_counts_a_spots_factor_is_one():
    nothing = np.zeros((3, 2), dtype=np.float32)
    totals = nothing[:, :1], nothing[:, :1]
    np.testing.assert_allclose(spot_factors(nothing, nothing + 1, (totals[0], totals[1] + 2)), 1)
    assert spot_factors(nothing[:0], nothing[:0], (nothing[:0, :1], nothing[:0, :1])).shape == (0, 2)


def test_one_gene_alone_has_nothing_to_share(known):
    counts = sp.csr_matrix(np.random.default_rng(3).poisson(known.expected[:, :1] * N_GENES).astype(np.int32))
    field = GeneField(known.view, known.everyone, known.mean, np.ones((1, 1), dtype=np.float32), counts)
    assert np.isfinite(field(slice(0, 1))).all()


def test_a_prior_holds_few_counts_near_one_and_lets_many_through(spot_operator, spots_px, spot_grid):
    operator = sp.csr_array(spot_operator)
    area, back = np.asarray(operator.sum(axis=1)).ravel(), sp.csr_array(operator.T)
    middle = spot_grid.shape[0] // 2, spot_grid.shape[1] // 2

    def ratio(expected, prior):
        expected = np.full(len(area), expected)
        return smooth_ratio(3 * expected, expected, area, back, spot_grid, 5.0, prior)[middle]

    assert ratio(0.01, 0.0) == pytest.approx(3, rel=0.01)
    assert ratio(0.01, 1.0) < 1.3
    assert ratio(100, 1.0) == pytest.approx(3, rel=0.01)


def test_a_prior_has_the_same_weight_in_the_choice_as_in_the_map(spot_operator, spots_px, spot_grid):
    """A spot's own place in the map of its neighbours is what the choice predicts of it."""
    operator = sp.csr_array(spot_operator)
    area = np.asarray(operator.sum(axis=1)).ravel()
    expected = np.full(len(area), 2.0)
    counts = np.random.default_rng(0).poisson(expected * 3).astype(float)
    number = int(np.argmin(np.linalg.norm(spots_px - spots_px.mean(axis=0), axis=1)))
    others = np.arange(len(area)) != number
    back = sp.csr_array(operator[others].T)
    row, column = np.floor(spot_grid.to_grid(spots_px[number : number + 1])[0])[::-1].astype(int)
    in_map = smooth_ratio(counts[others], expected[others], area[others], back, spot_grid, 5.0, 8.0)[row, column]
    weights = _weights_of_others(cKDTree(spots_px), slice(number, number + 1), 100.0 * spot_grid.px_per_um)
    in_choice = (weights @ counts + 8) / (weights @ expected + 8)
    assert in_map == pytest.approx(float(in_choice[0]), rel=0.03)


def test_no_factor_is_chosen_where_neighbours_tell_nothing(spots_px):
    rng = np.random.default_rng(4)
    expected = np.full((len(spots_px), 40), 5.0)
    widths, _ = choose_smoothing(
        rng.poisson(expected).astype(float), {1.0: expected}, spots_px, 50.0, (np.inf, 1.0), 1.0
    )
    assert np.isinf(widths).mean() > 0.8
