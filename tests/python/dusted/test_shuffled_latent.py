"""What the trained model makes of the spots shuffled over the places: the ground that domains are measured against."""

import numpy as np

from clearspot import dusted


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
