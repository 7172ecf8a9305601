"""What a second attempt at the same task does: smaller tiles, and on from where the first one was."""

import pickle

import anndata as ad
import numpy as np
import pytest
import torch

from clearspot import keys
from clearspot.dusted.checkpoint import kept_checkpoint
from clearspot.dusted.command import Targets, denoise_file
from clearspot.dusted.params import DustedParams
from clearspot.dusted.tile_size import with_smaller_tiles
from clearspot.errors import GpuOutOfMemoryError
from clearspot.io.atomic import write_h5ad

SETTINGS = {"hidden": 8, "latent": 4, "epochs": 6, "lr": 0.01, "threads": 1, "checkpoint_every": 2}


def tile_size(adata, attempt, **settings):
    return with_smaller_tiles(
        adata, "s", DustedParams.preset("paper", hidden=8, **settings), attempt
    ).max_spots_per_tile


@pytest.mark.parametrize(("attempt", "expected"), [(1, 800), (2, 400), (3, 256), (9, 256)])
def test_a_given_tile_is_halved_with_every_attempt_down_to_the_smallest(section_factory, attempt, expected):
    assert tile_size(section_factory(rows=30, columns=30), attempt, max_spots_per_tile=800) == expected


@pytest.mark.parametrize(("attempt", "expected"), [(1, None), (2, 449), (3, 256)])
def test_a_section_that_was_one_tile_is_cut(section_factory, attempt, expected):
    # 900 spots, 898 of which pass; the memory would take many more, and did not
    assert tile_size(section_factory(rows=30, columns=30), attempt) == expected


def test_a_tile_found_from_the_memory_is_halved(section_factory, monkeypatch):
    monkeypatch.setattr("clearspot.dusted.tile_size.spots_that_fit", lambda *_: 700)
    assert tile_size(section_factory(rows=30, columns=30), 2) == 350


def test_a_tile_smaller_than_the_smallest_stays(section_factory):
    assert tile_size(section_factory(), 4, max_spots_per_tile=20) == 20


def test_without_positions_nothing_can_be_cut(adata):
    del adata.obsm[keys.SPATIAL]
    assert tile_size(adata, 3) is None


@pytest.fixture
def h5ad(section_factory, tmp_path):
    path = tmp_path / "in.h5ad"
    write_h5ad(section_factory(rows=20, columns=20), path)
    return path


def run(h5ad, folder, **options):
    targets = Targets.in_folder(folder, "s1")
    record = denoise_file(h5ad, targets, "s1", **(SETTINGS | options))
    return ad.read_h5ad(targets.h5ad), record


def test_second_attempt_has_more_tiles_and_the_same_values(h5ad, tmp_path):
    first, one = run(h5ad, tmp_path / "one")
    second, two = run(h5ad, tmp_path / "two", attempt=2)
    assert one.metrics["n_tiles"] == 1
    assert two.metrics["n_tiles"] == 2
    np.testing.assert_allclose(second.layers[keys.DENOISED], first.layers[keys.DENOISED], rtol=1e-3)


def out_of_memory_in_epoch(monkeypatch, epoch):
    """Let the GPU's memory run out, once."""
    from clearspot.dusted import training

    one_epoch = training._one_epoch

    def failing(model, optimizer, objective, params, state, *others):
        if state.epoch == epoch:
            monkeypatch.setattr(training, "_one_epoch", one_epoch)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return one_epoch(model, optimizer, objective, params, state, *others)

    monkeypatch.setattr(training, "_one_epoch", failing)


def test_next_attempt_goes_on_from_the_kept_checkpoint_with_smaller_tiles(h5ad, tmp_path, monkeypatch):
    unbroken, _ = run(h5ad, tmp_path / "unbroken")
    kept = tmp_path / "kept"
    out_of_memory_in_epoch(monkeypatch, 5)
    with pytest.raises(GpuOutOfMemoryError):
        run(h5ad, tmp_path / "one", checkpoint_dir=kept)
    assert [path.name.split(".")[0] for path in kept.iterdir()] == ["s1"]
    section, record = run(h5ad, tmp_path / "two", checkpoint_dir=kept, attempt=2)
    assert "Resumed after epoch 4 of an earlier attempt." in [message.text for message in record.messages]
    assert record.metrics["n_tiles"] == 2
    assert record.metrics["epochs"] == 6
    np.testing.assert_allclose(section.layers[keys.DENOISED], unbroken.layers[keys.DENOISED], rtol=1e-3)
    assert (tmp_path / "two" / "models" / "s1.dusted.pt").is_file()
    assert not list(kept.iterdir())


@pytest.mark.parametrize("change", [{"seed": 3}, {"likelihood": "zinb"}, {"always_genes": ("g1",)}])
def test_other_settings_are_kept_apart(h5ad, tmp_path, change):
    one, two = (kept_checkpoint(tmp_path, "s", h5ad, DustedParams(**settings), None) for settings in ({}, change))
    assert one.path != two.path


def test_other_input_is_kept_apart_and_how_it_is_computed_is_not(h5ad, section_factory, tmp_path):
    other = tmp_path / "other.h5ad"
    write_h5ad(section_factory(seed=1), other)

    def path(*arguments):
        return kept_checkpoint(tmp_path, "s", *arguments, None).path

    assert path(other, DustedParams()) != path(h5ad, DustedParams())
    assert path(h5ad, DustedParams(max_spots_per_tile=9, threads=2)) == path(h5ad, DustedParams())


def test_other_processes_of_a_run_can_be_told_where_it_is_kept(h5ad, tmp_path):
    kept = kept_checkpoint(tmp_path, "s", h5ad, DustedParams(), None)
    assert pickle.loads(pickle.dumps(kept)).path == kept.path  # noqa: S301


def test_a_file_that_cannot_be_read_is_said_and_not_used(h5ad, tmp_path, capsys):
    kept = kept_checkpoint(tmp_path, "s", h5ad, DustedParams(), None)
    assert kept.found() is None
    kept.path.write_bytes(b"half a checkp")
    assert kept.found() is None
    assert "cannot be read" in capsys.readouterr().err
