"""Both networks can learn one tile by heart: what they are given is enough, and what they are taught reaches them."""

import numpy as np
import pytest
import torch

from clearspot.diffst.data.inputs import read_inputs
from clearspot.diffst.data.make_views import section_view
from clearspot.diffst.data.programs import fit_programs
from clearspot.diffst.data.tissue import tissue_of
from clearspot.diffst.generate.sampling import predict_mean, sample_residual
from clearspot.diffst.networks.model import DiffstModel
from clearspot.diffst.networks.residual_diffusion import diffusion_loss, new_scheduler
from clearspot.diffst.params import DiffstParams
from tests.helpers.diffst_sections import read_made

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, width=16, evaluations=12, tile=64)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def view():
    section, histology = read_made(PARAMS)
    values = fit_programs(section.counts, section.genes, PARAMS.n_programs, PARAMS.seed).transform(section.counts)
    everywhere = np.ones(len(section.rows), dtype=bool)
    return section_view(
        section, values, histology, tissue=tissue_of(section), training=everywhere, n_patterns=1, seed=PARAMS.seed
    )


@pytest.fixture
def model(view):
    torch.manual_seed(0)
    return DiffstModel(PARAMS.n_programs, view.histology.n_features, PARAMS)


@pytest.fixture
def inputs(view):
    return read_inputs(view, view.conditions[0], (slice(0, view.shape[0]), slice(0, view.shape[1])), CPU)


@pytest.fixture
def detail(inputs):
    """``(1, programs, rows, columns)``, mean 0 and variance 1: what there is to be learned, bin by bin."""
    features = inputs.image[:, : PARAMS.n_programs]
    return (features - features.mean(dim=(2, 3), keepdim=True)) / features.std(dim=(2, 3), keepdim=True)


def fit(module, loss_of, steps):
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of().backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        schedule.step()


def unexplained(found, target):
    return float(np.var(found - target) / np.var(target))


def test_mean_net_learns_a_tile(view, model, inputs, detail):
    condition = view.conditions[0]
    wanted = (inputs.seen + 0.01) * torch.exp(detail / 2)
    fit(model.mean, lambda: ((model.mean(inputs)[0].log() - wanted.log()) ** 2).mean(), 80)
    found = predict_mean(model, view, condition, PARAMS, CPU) / (condition.base + 0.01)
    assert unexplained(np.log(found), detail.numpy()[0] / 2) < 0.05


def test_diffusion_learns_a_tile(view, model, inputs, detail):
    mean = np.ones(detail.shape[1:], dtype=np.float32)
    scheduler, generator = new_scheduler(PARAMS.sigma_min, PARAMS.sigma_max), torch.Generator().manual_seed(0)
    known, around = torch.ones(1, 1, *view.shape), torch.from_numpy(mean)[None]
    fit(
        model.denoiser,
        lambda: diffusion_loss(
            model.denoiser, scheduler, detail, sqrt_mean=around, weight=known, inputs=inputs, generator=generator
        )[0],
        200,
    )
    drawn = sample_residual(model, view, view.conditions[0], mean, number=0, sample="s1", params=PARAMS, device=CPU)
    assert unexplained(drawn, detail.numpy()[0]) < 0.3
