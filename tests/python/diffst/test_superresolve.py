"""The whole of super-resolution on a small section, hardly trained: what must hold whatever the weights are."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from clearspot import keys
from clearspot.diffst.data.embedding import embed_histology
from clearspot.diffst.data.section import read_section
from clearspot.diffst.geometry.capture_operator import disk_operator
from clearspot.diffst.output.api import sample_section, train
from clearspot.diffst.params import DiffstParams
from clearspot.errors import BadInputError
from tests.helpers.diffst_sections import N_GENES, make_section

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, tile=32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    adata, picture = make_section()
    embedding = embed_histology(adata, picture, "s1", PARAMS)
    checkpoint = tmp_path_factory.mktemp("model") / "s1.diffst.pt"
    train(adata, embedding, checkpoint, sample="s1", params=PARAMS, progress=False)
    return adata, embedding, checkpoint


@pytest.fixture
def sample(trained, tmp_path):
    adata, embedding, checkpoint = trained

    def _sample(**changes) -> ad.AnnData:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        params = replace(PARAMS, **changes)
        sample_section(adata, embedding, checkpoint, folder, sample="s1", params=params, progress=False)
        return ad.read_h5ad(folder / keys.superres_name("s1"))

    return _sample


def test_values_are_marked_predicted_finite_and_not_negative(sample):
    found = sample()
    assert bool(found.uns[keys.UNS]["predicted"])
    np.testing.assert_array_equal(found.X, found.layers[keys.SUPERRES_MEAN])
    for layer in (keys.SUPERRES_MEAN, keys.SUPERRES_SD):
        assert np.isfinite(found.layers[layer]).all()
        assert (found.layers[layer] >= 0).all()


def under_spots(found, trained):
    """What the bins under each spot add up to, and what it measured."""
    adata, embedding, _ = trained
    operator = disk_operator(adata.obsm[keys.SPATIAL], embedding.grid, 55.0)
    place = found.obs[keys.ARRAY_ROW].to_numpy() * embedding.grid.n_cols + found.obs[keys.ARRAY_COL].to_numpy()
    bins = np.zeros((embedding.grid.n_bins, found.n_vars))
    bins[place] = found.layers[keys.SUPERRES_MEAN]
    return operator @ bins, adata[:, found.var_names].layers[keys.COUNTS].toarray()


def test_exact_totals_add_up_to_what_a_spot_measured(sample, trained):
    assert_allclose(*under_spots(sample(projection=True), trained), rtol=2e-3, atol=1e-3)


def test_by_default_bins_follow_what_the_spots_measured_but_do_not_repeat_it(sample, trained):
    predicted, measured = under_spots(sample(), trained)
    each = [np.corrcoef(predicted[:, gene], measured[:, gene])[0, 1] for gene in range(measured.shape[1])]
    assert np.median(each) > 0.7
    assert np.mean(np.abs(predicted - measured) > 0.01 * measured) > 0.9


@pytest.mark.parametrize("projection", [False, True])
def test_eight_draws_make_quantiles_and_the_mean_lies_between_them(sample, projection):
    found = sample(samples=8, projection=projection)
    low, mean, high = (found.layers[name] for name in (keys.SUPERRES_Q05, keys.SUPERRES_MEAN, keys.SUPERRES_Q95))
    assert (low >= 0).all()
    assert (low <= mean).all()
    assert (mean <= high).all()
    assert (low < high).mean() > 0.9


def test_fewer_draws_make_none_and_the_record_says_so(trained, tmp_path):
    adata, embedding, checkpoint = trained
    result = sample_section(adata, embedding, checkpoint, tmp_path, sample="s1", params=PARAMS, progress=False)
    found = ad.read_h5ad(result.path)
    for layer in (keys.SUPERRES_Q05, keys.SUPERRES_Q50, keys.SUPERRES_Q95):
        assert np.isnan(found.layers[layer]).all()
    assert any(
        "Quantiles need at least 8 samples, but only 2 were drawn" in message.text for message in result.record.messages
    )


def test_a_gene_that_no_spot_saw_is_not_predicted(sample):
    assert list(sample().var_names) == [f"gene{number}" for number in range(N_GENES - 1)]


def test_other_tiles_give_the_same_values(sample):
    small, large = sample(tile=16), sample(tile=64)
    assert_allclose(small.layers["mean"], large.layers["mean"], rtol=1e-3, atol=1e-4)
    assert_allclose(small.layers["sd"], large.layers["sd"], rtol=1e-2, atol=1e-3)


def test_genes_decoded_in_other_chunks_have_the_same_values(sample):
    assert_allclose(sample(gene_chunk=3).layers["mean"], sample(gene_chunk=64).layers["mean"], rtol=1e-4, atol=1e-5)


def test_the_same_seed_draws_the_same_and_another_seed_does_not(sample):
    first = sample().layers["sd"]
    assert_array_equal(first, sample().layers["sd"])
    assert not np.allclose(first, sample(seed=1).layers["sd"])


def test_a_blank_image_has_the_values_of_no_image(trained, tmp_path):
    adata, embedding, checkpoint = trained
    blank = replace(embedding, histology=replace(embedding.histology, valid=np.zeros_like(embedding.histology.valid)))
    values = []
    for number, given in enumerate((blank, None)):
        folder = tmp_path / str(number)
        folder.mkdir()
        params = replace(PARAMS, image=given is not None)
        sample_section(adata, given, checkpoint, folder, sample="s1", params=params, progress=False)
        values.append(ad.read_h5ad(folder / keys.superres_name("s1")).layers["mean"])
    assert_allclose(values[0], values[1], rtol=1e-4, atol=1e-5)


def test_without_diffusion_the_spread_is_that_of_hidden_spots(sample):
    found = sample(diffusion=False, samples=8)
    low, mean, high, sd = (found.layers[name] for name in ("q05", "mean", "q95", "sd"))
    assert np.isfinite(mean).all()
    assert (sd > 0).mean() > 0.9
    assert ((low <= mean) & (mean <= high)).all()


def test_training_twice_gives_the_same_model(trained, tmp_path):
    adata, embedding, _ = trained
    losses = [
        train(adata, embedding, tmp_path / f"{name}.pt", sample="s1", params=PARAMS, progress=False).metrics
        for name in ("a", "b")
    ]
    assert losses[0]["loss_mean_final"] == losses[1]["loss_mean_final"]


def test_spots_that_failed_quality_control_are_left_out(trained):
    adata = trained[0].copy()
    adata.obs.loc["spot7", keys.QC_PASS] = False
    assert len(read_section(adata, "s1", PARAMS).rows) == 99


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({}, "Denoise first"),
        (
            {"dusted": {"denoised_file": "s1.denoised.h5ad"}},
            "denoised counts in s1.denoised.h5ad.*denoised_store='layer'",
        ),
    ],
)
def test_denoised_values_that_are_not_in_the_object_are_asked_for(about, words):
    adata, _ = make_section()
    adata.uns[keys.UNS] |= about
    with pytest.raises(BadInputError, match=f"(?s){words}"):
        read_section(adata, "s1", DiffstParams.preset("test", input="denoised"))
