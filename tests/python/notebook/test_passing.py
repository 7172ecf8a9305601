import numpy as np
import scanpy as sc

import clearspot


def test_spots_that_pass_have_a_latent_that_scanpy_takes(denoised):
    good = clearspot.passing(denoised)
    assert 0 < good.n_obs < denoised.n_obs
    assert good.obs_names.tolist() == denoised.obs_names[denoised.obs["qc_pass"]].tolist()
    sc.pp.neighbors(good, use_rep="X_dusted", n_neighbors=5)
    assert good.obsp["connectivities"].shape == (good.n_obs, good.n_obs)


def test_spots_that_the_denoiser_left_out_by_itself_do_not_pass(section):
    section.layers["counts"][0] = 0
    section.layers["counts"].eliminate_zeros()
    clearspot.denoise(section, epochs=2, progress=False)
    good = clearspot.passing(section)
    assert good.obs_names.tolist() == section.obs_names[1:].tolist()
    assert np.isfinite(good.obsm["X_dusted"]).all()


def test_before_quality_control_all_spots_pass(section):
    assert clearspot.passing(section).n_obs == section.n_obs


def test_it_is_a_copy(denoised):
    clearspot.passing(denoised).obs["qc_reason"] = "changed"
    assert "changed" not in set(denoised.obs["qc_reason"].astype(str))
