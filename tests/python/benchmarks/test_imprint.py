"""What the product writes shows the lattice of spots no more than its programs do; exact totals show it."""

from dataclasses import replace
from types import SimpleNamespace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from scipy import ndimage

from clearspot import keys
from clearspot.diffst.data.programs import fit_programs
from clearspot.diffst.data.section import read_section
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.generate.fitted import Fitted
from clearspot.diffst.generate.predicting import predict
from clearspot.diffst.image.histology import no_image
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.params import DiffstParams
from tests.helpers.benchmark_modules import benchmark_modules
from tests.helpers.diffst_sections import make_section

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, image=False, diffusion=False)
N_GENES = 20


@pytest.fixture(scope="module")
def imprint():
    with benchmark_modules("superres") as load:
        yield load("imprint")


@pytest.fixture(scope="module")
def section():
    """Smooth tissue, measured by spots that capture unevenly."""
    rng = np.random.default_rng(3)
    made, _ = make_section()
    empty = read_section(made, "s1", PARAMS)
    fields = ndimage.gaussian_filter(rng.standard_normal((3, *empty.grid.shape)), (0, 8, 8))
    programs = np.exp(fields / fields.std(axis=(1, 2), keepdims=True))
    density = programs.reshape(3, -1).T @ rng.gamma(1.0, 0.3, (3, N_GENES))
    efficiency = np.exp(0.3 * rng.standard_normal((len(empty.rows), 1)))
    counts = rng.poisson(efficiency * (empty.operator @ density))
    spots = ad.AnnData(obs=made.obs, var=pd.DataFrame(index=[f"gene{number}" for number in range(N_GENES)]))
    spots.layers[keys.COUNTS] = sp.csr_matrix(counts.astype(np.int32))
    spots.obsm[keys.SPATIAL], spots.uns[keys.UNS] = made.obsm[keys.SPATIAL], made.uns[keys.UNS]
    return read_section(spots, "s1", PARAMS)


@pytest.fixture(scope="module")
def predicted(section, tmp_path_factory):
    programs = fit_programs(section.counts, section.genes, PARAMS.n_programs, PARAMS.seed)
    model = DiffstModel(programs.number, no_image(section.grid.shape).n_features, PARAMS).eval()
    model.mean.power.fill_(0)
    fitted, draws = Fitted(model, programs, PARAMS, None), tmp_path_factory.mktemp("draws")
    return predict(section, None, fitted, PARAMS, torch.device("cpu"), draws)


def written(predicted, **changes):
    maps = replace(predicted, params=replace(PARAMS, **changes))
    return np.hstack([summary.mean for _, summary in maps.summaries(progress=False)])


@pytest.fixture(scope="module")
def border_step(imprint, section):
    """Median over genes."""
    grid = section.grid
    lattice = imprint.Lattice.of(grid.to_grid(section.xy_px) - 0.5, section.pitch_um / grid.bin_um)
    coverage = np.asarray(section.operator.sum(axis=0)).reshape(grid.shape)

    def median(maps):
        tissue = tissue_of(section)
        each = [imprint.border_step(one, lattice, coverage, tissue) for one in maps.T.reshape(-1, *grid.shape)]
        return float(np.median(each))

    return median


def test_the_default_leaves_no_disc_where_a_spot_was(predicted, border_step):
    before = (predicted.mean * predicted.view.scale[:, None, None]).reshape(len(predicted.mean), -1).T
    step = border_step(before @ predicted.loadings)
    assert border_step(written(predicted)) <= 1.05 * step
    assert border_step(written(predicted, projection=True)) > 1.5 * step


def test_the_default_follows_the_spots_and_exact_totals_are_exact(predicted, section):
    counts = section.counts.toarray()
    found, exact = (section.operator @ written(predicted, projection=how) for how in (False, True))
    each = [np.corrcoef(found[:, gene], counts[:, gene])[0, 1] for gene in range(N_GENES)]
    assert np.median(each) > 0.7
    np.testing.assert_allclose(exact, counts, rtol=2e-3, atol=1e-3)
    assert not np.allclose(found, counts, rtol=0.05, atol=0.5)


def test_detail_that_is_known_is_told_from_detail_that_is_made_up(imprint, section):
    rng = np.random.default_rng(5)
    shape = section.grid.shape
    case = SimpleNamespace(
        grid=section.grid, pitch_um=section.pitch_um, operator=section.operator, tissue=tissue_of(section)
    )
    inside = np.asarray(section.operator.sum(axis=0)).ravel() > 0.5
    case.truth = (5 + rng.standard_normal((N_GENES, *shape))).reshape(N_GENES, -1).T
    known_at_spots = np.where(inside[:, None], case.truth, case.truth.mean(axis=0))
    noise = np.where(inside[:, None], rng.standard_normal(case.truth.shape), 0)
    right, made_up = (imprint.detail_slopes(case, mean) for mean in (case.truth, case.truth + noise))
    assert right == pytest.approx({"slope_at_spots": 1, "slope_between": 1})
    assert made_up["slope_at_spots"] < 0.7
    assert made_up["slope_between"] > 0.8
    assert imprint.detail_slopes(case, known_at_spots)["slope_at_spots"] > 0.8
    assert np.isnan(imprint.detail_slopes(case, np.ones_like(case.truth))["slope_between"])
