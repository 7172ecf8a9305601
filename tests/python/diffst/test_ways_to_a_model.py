"""A model from another panel, and from runs that were killed on the way."""

from contextlib import contextmanager
from dataclasses import replace

import anndata as ad
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from clearspot import keys
from clearspot.diffst.generate import predicting
from clearspot.diffst.output.api import sample_section, train
from clearspot.diffst.output.command import train_file
from clearspot.diffst.params import DiffstParams
from clearspot.diffst.training.checkpoint import kept_checkpoint, load_checkpoint
from clearspot.diffst.training.stages import Phase
from clearspot.errors import BadInputError
from clearspot.io.atomic import write_h5ad
from tests.helpers.diffst_sections import make_section

PARAMS = DiffstParams.preset("test", factor=5, genes="all", threads=1, image=False, n_programs=3)


class KilledError(Exception):
    """What a scheduler does to a job."""


@contextmanager
def killed_in_step_four():
    """Training of the diffusion model ends before its fourth step is counted."""
    update = Phase.update

    def update_or_die(phase, loss):
        if phase.name == "diffusion" and phase.step == 3:
            raise KilledError
        update(phase, loss)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Phase, "update", update_or_die)
        yield


def trained(folder, params=PARAMS, **changes):
    adata, _ = make_section()
    checkpoint = folder / "model.pt"
    record = train(adata, None, checkpoint, sample="s1", params=params, progress=False, **changes)
    return adata, checkpoint, record


def test_training_that_was_killed_ends_as_if_it_had_not_been(tmp_path):
    (tmp_path / "whole").mkdir()
    _, whole, record = trained(tmp_path / "whole")
    params = replace(PARAMS, checkpoint_minutes=0.0)
    with killed_in_step_four(), pytest.raises(KilledError):
        trained(tmp_path, params)
    with pytest.raises(BadInputError, match="interrupted training"):
        sample_section(make_section()[0], None, tmp_path / "model.pt", tmp_path, sample="s1", params=params)
    _, resumed, again = trained(tmp_path, params, resume_from=tmp_path / "model.pt")
    assert again.metrics["loss_diffusion_final"] == record.metrics["loss_diffusion_final"]
    weights = [load_checkpoint(path)["model"] for path in (whole, resumed)]
    for name, value in weights[0].items():
        assert_array_equal(value.numpy(), weights[1][name].numpy(), err_msg=name)


def test_another_attempt_finds_the_checkpoint_of_one_that_was_killed(tmp_path):
    adata, _ = make_section()
    write_h5ad(adata, tmp_path / "s1.h5ad")
    kept = tmp_path / "kept"
    settings = {"preset": "test", "genes": "all", "threads": 1, "n_programs": 3, "checkpoint_minutes": 0.0}

    def attempt(name, **changes):
        return train_file(tmp_path / "s1.h5ad", None, tmp_path / name, "s1", **settings, **changes)

    whole = attempt("whole")
    with killed_in_step_four(), pytest.raises(KilledError):
        attempt("first", checkpoint_dir=kept)
    (checkpoint,) = kept.iterdir()
    assert checkpoint.name.startswith("s1.")
    record = attempt("second", checkpoint_dir=kept)
    assert "Resumed after step 9 of an earlier attempt." in [message.text for message in record.messages]
    assert record.metrics["loss_diffusion_final"] == whole.metrics["loss_diffusion_final"]
    assert (tmp_path / "second" / "s1.diffst.pt").is_file()
    assert not list(kept.iterdir())


def test_other_inputs_and_settings_have_checkpoints_of_their_own(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")

    def path(inputs, params=PARAMS):
        return kept_checkpoint(tmp_path, "s1", inputs, params, microns_per_pixel=None).path

    assert path([one, None]) == path([one, None], replace(PARAMS, threads=2, samples=5))
    assert (
        len({path([one, None]), path([other, None]), path([one, other]), path([one, None], replace(PARAMS, seed=1))})
        == 4
    )


def test_other_settings_do_not_resume(tmp_path):
    _, checkpoint, _ = trained(tmp_path)
    with pytest.raises(BadInputError, match="different settings: lr"):
        trained(tmp_path, replace(PARAMS, lr=0.1), resume_from=checkpoint)


def test_sampling_that_was_killed_keeps_its_draws(tmp_path, monkeypatch):
    adata, checkpoint, _ = trained(tmp_path)
    sample = predicting.sample_residual
    drawn = []

    def killed_after_one(*args, number, **more):
        if drawn:
            raise KilledError
        drawn.append(number)
        return sample(*args, number=number, **more)

    def counted(*args, number, **more):
        later.append(number)
        return sample(*args, number=number, **more)

    arguments = {"sample": "s1", "params": PARAMS, "progress": False}
    monkeypatch.setattr(predicting, "sample_residual", killed_after_one)
    with pytest.raises(KilledError):
        sample_section(adata, None, checkpoint, tmp_path, draws=tmp_path / "draws", **arguments)
    later = []
    monkeypatch.setattr(predicting, "sample_residual", counted)
    sample_section(adata, None, checkpoint, tmp_path, draws=tmp_path / "draws", **arguments)
    assert (drawn, later) == ([0], [1])


def test_a_model_of_another_panel_is_used_by_the_genes_in_common(tmp_path):
    adata, checkpoint, _ = trained(tmp_path)
    other = adata[:, [*range(3, 13)]].copy()
    other.var_names = [*other.var_names[:-1], "new"]
    result = sample_section(other, None, checkpoint, tmp_path, sample="s1", params=PARAMS, progress=False)
    found = ad.read_h5ad(result.path)
    assert list(found.var_names) == list(other.var_names)
    assert np.isfinite(found.layers[keys.SUPERRES_MEAN]).all()


def test_the_negative_binomial_likelihood_trains(tmp_path):
    _, _, record = trained(tmp_path, replace(PARAMS, likelihood="nb", diffusion=False))
    assert np.isfinite(record.metrics["loss_mean_final"])


def test_fewer_genes_than_the_model_has_programs_are_refused(tmp_path):
    adata, checkpoint, _ = trained(tmp_path)
    few = adata[:, :2].copy()
    with pytest.raises(BadInputError, match=r"the model has 2 of the 2 genes, fewer than its 3 programs"):
        sample_section(few, None, checkpoint, tmp_path, sample="s1", params=PARAMS, progress=False)
