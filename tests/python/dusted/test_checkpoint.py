from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from clearspot import dusted
from clearspot.dusted.checkpoint import load_checkpoint, warm_start
from clearspot.dusted.model import build_model
from clearspot.dusted.params import DustedParams
from clearspot.errors import BadInputError
from clearspot.learning.checkpoint_file import CheckpointError

SETTINGS = {
    "preset": "default",
    "hidden": 8,
    "latent": 4,
    "reduction_ratio": 4,
    "epochs": 10,
    "lr": 0.01,
    "holdout": 0.1,
    "threads": 1,
    "progress": False,
}


class InterruptedError(Exception):
    pass


@pytest.fixture
def interrupt_after(monkeypatch):
    """Function that breaks training off after so many epochs, as a lost machine does."""

    def arm(epochs: int) -> None:
        from clearspot.dusted import run

        checkpoints = run._Checkpoints

        class Breaking(checkpoints):
            def __call__(self, state):
                super().__call__(state)
                if state.epoch == epochs:
                    raise InterruptedError

        monkeypatch.setattr(run, "_Checkpoints", Breaking)

    yield arm
    monkeypatch.undo()


@pytest.mark.parametrize(
    "extra", [{}, {"max_spots_per_tile": 20}, {"spots_per_step": 8}], ids=["whole", "tiles", "batches"]
)
def test_resumed_run_equals_the_unbroken_one(adata, tmp_path, interrupt_after, monkeypatch, extra):
    unbroken = adata.copy()
    result = dusted.denoise(unbroken, **SETTINGS, **extra)
    path = tmp_path / "run.pt"
    interrupt_after(6)
    with pytest.raises(InterruptedError):
        dusted.denoise(adata.copy(), checkpoint=path, checkpoint_every=4, **SETTINGS, **extra)
    assert load_checkpoint(path)["state"]["epoch"] == 4
    monkeypatch.undo()
    resumed = adata.copy()
    torch.rand(5)
    again = dusted.denoise(resumed, resume_from=path, **SETTINGS, **extra)
    np.testing.assert_array_equal(resumed.layers["denoised"], unbroken.layers["denoised"])
    np.testing.assert_array_equal(resumed.obsm["X_dusted"], unbroken.obsm["X_dusted"])
    assert again.training.equals(result.training)


def test_reloaded_final_checkpoint_gives_the_same_bits_without_training(adata, tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    first = adata.copy()
    dusted.denoise(first, checkpoint=path, **SETTINGS)
    monkeypatch.setattr("clearspot.dusted.training._one_epoch", None)
    second = adata.copy()
    dusted.denoise(second, resume_from=path, **SETTINGS)
    np.testing.assert_array_equal(second.layers["denoised"], first.layers["denoised"])
    assert second.uns["clearspot"]["dusted"]["best_loss"] == first.uns["clearspot"]["dusted"]["best_loss"]


def test_checkpoint_holds_all_that_is_needed_and_no_code(adata, tmp_path):
    path = tmp_path / "run.pt"
    result = dusted.denoise(adata, checkpoint=path, **SETTINGS)
    content = torch.load(path, weights_only=True)
    assert {"params", "genes", "model", "optimizer", "state", "random", "clearspot"} <= set(content)
    assert set(content["params"]) == {field.name for field in fields(DustedParams)}
    assert content["genes"] == [f"g{i}" for i in range(10)]
    assert content["state"]["epoch"] == len(result.training)


def test_hash_in_the_file_is_that_of_the_checkpoint(adata, tmp_path):
    import hashlib

    path = tmp_path / "run.pt"
    result = dusted.denoise(adata, checkpoint=path, **SETTINGS)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert adata.uns["clearspot"]["dusted"]["checkpoint_sha256"] == digest
    assert result.record.metrics["checkpoint_sha256"] == digest


@pytest.mark.parametrize(
    ("change", "word"), [({"lr": 0.02}, "lr"), ({"genes": ("g1", "g2", "g3")}, "genes"), ({"seed": 3}, "seed")]
)
def test_resuming_with_other_settings_is_refused(adata, tmp_path, change, word):
    path = tmp_path / "run.pt"
    dusted.denoise(adata.copy(), checkpoint=path, **SETTINGS)
    with pytest.raises(BadInputError, match=word):
        dusted.denoise(adata, resume_from=path, **(SETTINGS | change))


def test_resuming_on_other_counts_is_refused(adata, tmp_path):
    path = tmp_path / "run.pt"
    dusted.denoise(adata.copy(), checkpoint=path, **SETTINGS)
    adata.layers["counts"] = adata.layers["counts"] * 2
    with pytest.raises(BadInputError, match="different counts"):
        dusted.denoise(adata, resume_from=path, **SETTINGS)


def test_how_it_is_computed_may_change_on_resuming(adata, tmp_path):
    path = tmp_path / "run.pt"
    dusted.denoise(adata.copy(), checkpoint=path, **SETTINGS)
    dusted.denoise(adata, resume_from=path, max_spots_per_tile=20, checkpoint_every=2, **SETTINGS)
    assert np.isfinite(adata.layers["denoised"][0, 0])


def test_file_of_another_kind_is_refused(tmp_path):
    torch.save({"weights": torch.zeros(1)}, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match="not a DUSTED checkpoint"):
        load_checkpoint(tmp_path / "other.pt")


def test_warm_start_begins_where_the_other_run_ended(adata, tmp_path):
    path = tmp_path / "run.pt"
    settings = SETTINGS | {"preset": "paper", "epochs": 30}
    first = dusted.denoise(adata.copy(), checkpoint=path, **settings)
    warm = dusted.denoise(adata.copy(), warm_start_from=path, **(settings | {"seed": 5}))
    cold = dusted.denoise(adata.copy(), **(settings | {"seed": 5}))
    assert warm.training.loss[0] == pytest.approx(first.training.loss.min(), rel=0.05)
    assert warm.training.loss[0] < cold.training.loss[0]


def test_warm_start_matches_genes_by_name(adata, section_of, tmp_path):
    path = tmp_path / "run.pt"
    dusted.denoise(adata, checkpoint=path, **SETTINGS)
    content = load_checkpoint(path)
    given = {k: v for k, v in SETTINGS.items() if k not in ("preset", "progress")}
    params = DustedParams.preset("default", genes=("g9", "g3", "g11"), **given)
    section = section_of(params)
    model = build_model(section, params, torch.float32)
    fresh = model.encoder_outer.detach().clone()
    assert section.genes == ("g3", "g9", "g11")
    assert warm_start(content, model=model, section=section) == 2
    best = content["state"]["best_state"]
    torch.testing.assert_close(model.encoder_outer[:2], best["encoder_outer"][[3, 9]])
    torch.testing.assert_close(model.heads.weights[0][:, :2], best["heads.weights.0"][:, [3, 9]])
    torch.testing.assert_close(model.encoder_outer[2], fresh[2])


def test_warm_start_with_other_widths_is_refused(adata, tmp_path):
    path = tmp_path / "run.pt"
    dusted.denoise(adata.copy(), checkpoint=path, **SETTINGS)
    with pytest.raises(BadInputError, match="encoder_"):
        dusted.denoise(adata, warm_start_from=path, **(SETTINGS | {"latent": 5}))


def test_either_resumed_or_warm_started(adata, tmp_path):
    with pytest.raises(ValueError, match="not both"):
        dusted.denoise(adata, resume_from=tmp_path / "a", warm_start_from=tmp_path / "b", **SETTINGS)


def test_settings_that_do_not_matter_for_resuming_are_named_settings():
    from clearspot.dusted.params import RUN_ONLY

    assert {field.name for field in fields(DustedParams)} >= RUN_ONLY
    assert replace(DustedParams(), device="cpu") != DustedParams()
