"""Latents that domains need besides the section's own: of shuffled spots, and of the training counts."""

import numpy as np
import scipy.sparse as sp
import torch

from clearspot import dusted
from clearspot.contract.counts import read_counts
from clearspot.dusted.from_anndata import read_section
from clearspot.dusted.params import DustedParams
from clearspot.dusted.run import Run
from clearspot.dusted.thinning import thin_counts


def test_shuffling_moves_counts_and_depths_together_and_leaves_the_places(section_of):
    section = section_of()
    shuffled = section.shuffled(3)
    assert (shuffled.graph != section.graph).nnz == 0
    np.testing.assert_array_equal(shuffled.positions, section.positions)
    order = np.random.default_rng(3).permutation(section.n_spots)
    assert (shuffled.counts != section.counts[order]).nnz == 0
    np.testing.assert_array_equal(shuffled.size_factor, section.size_factor[order])
    np.testing.assert_array_equal(shuffled.input_scale, section.input_scale[order])


def test_the_latent_of_shuffled_spots_is_in_the_file_and_the_same_each_time(adata):
    first, again = adata, adata.copy()
    for one in (first, again):
        dusted.denoise(one, epochs=3, progress=False, hidden=8, latent=4, reduction_ratio=4, threads=1)
    shuffled = first.obsm["dusted_shuffled"]
    assert shuffled.shape == first.obsm["X_dusted"].shape
    np.testing.assert_array_equal(np.isnan(shuffled), np.isnan(first.obsm["X_dusted"]))
    np.testing.assert_array_equal(shuffled, again.obsm["dusted_shuffled"])
    assert not np.allclose(shuffled, first.obsm["X_dusted"], equal_nan=True)


def test_the_latent_of_the_training_counts_is_that_of_the_same_draw(adata):
    """Domains draw the held-out counts again, from what the file says."""
    params = {"epochs": 3, "hidden": 8, "latent": 4, "reduction_ratio": 4, "threads": 1}
    whole = adata.copy()
    dusted.denoise(adata, progress=False, seed=5, holdout=0.2, **params)
    made_by = adata.uns["clearspot"]["dusted"]["params"]
    rows = np.flatnonzero(np.isfinite(adata.obsm["X_dusted"]).all(axis=1))
    modelled = np.flatnonzero(adata.var["dusted_modelled"])
    drawn = sp.csr_matrix(read_counts(adata, "s")[rows][:, modelled], dtype=np.float32)
    kept, _ = thin_counts(drawn, made_by["holdout"], made_by["seed"])
    source = read_section(whole, "s", DustedParams.preset("default", seed=5, holdout=0.2, **params))
    run = Run(source, "s", DustedParams.preset("default", seed=5, holdout=0.2, **params), torch.device("cpu"))
    assert (run.training.counts != kept).nnz == 0
    training = adata.obsm["dusted_training"]
    assert training.shape == adata.obsm["X_dusted"].shape
    assert np.isfinite(training[rows]).all()
    assert not np.allclose(training[rows], adata.obsm["X_dusted"][rows])


def test_there_is_no_latent_of_training_counts_if_nothing_is_held_out_or_spots_are_many(adata):
    params = {"epochs": 2, "hidden": 8, "latent": 4, "reduction_ratio": 4, "threads": 1, "progress": False}
    alone, batches = adata.copy(), adata.copy()
    dusted.denoise(alone, holdout=0.0, **params)
    assert "dusted_training" not in alone.obsm
    dusted.denoise(batches, spots_per_step=batches.n_obs // 4, **params)
    assert "dusted_training" not in batches.obsm
