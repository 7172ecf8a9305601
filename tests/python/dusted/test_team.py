"""Two processes on the CPU that train one model together."""

import socket
from types import SimpleNamespace

import anndata as ad
import numpy as np
import pytest
import torch
from torch.multiprocessing import ProcessExitedException

from clearspot import keys
from clearspot.dusted import command, team
from clearspot.dusted.command import Targets, denoise_file
from clearspot.dusted.params import DustedParams
from clearspot.dusted.run import Run
from clearspot.dusted.team import Team, device_of_rank, launched_by_torchrun
from clearspot.errors import BadInputError
from clearspot.io.atomic import write_h5ad

SETTINGS = {
    "hidden": 8,
    "latent": 4,
    "epochs": 12,
    "lr": 0.01,
    "schedule": "constant",
    "weight_decay": 0.0,
    "threads": 1,
    "max_spots_per_tile": 15,
}


@pytest.fixture
def h5ad(section_factory, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = tmp_path / "in.h5ad"
    write_h5ad(section_factory(rows=12, columns=12), path)
    return path


def run(h5ad, folder, **options):
    targets = Targets.in_folder(folder, "s1")
    record = denoise_file(h5ad, targets, "s1", **(SETTINGS | options))
    return ad.read_h5ad(targets.h5ad), record


@pytest.mark.parametrize("options", [{}, {"spots_per_step": 40}], ids=["whole", "batches"])
def test_two_processes_give_what_one_does(h5ad, tmp_path, options):
    alone, one = run(h5ad, tmp_path / "alone", **options)
    together, two = run(h5ad, tmp_path / "together", processes=2, **options)
    assert one.metrics["n_tiles"] > 2
    np.testing.assert_allclose(two.tables["training"]["loss"], one.tables["training"]["loss"], rtol=1e-5)
    np.testing.assert_allclose(two.tables["training"]["held_out"], one.tables["training"]["held_out"], rtol=1e-5)
    np.testing.assert_allclose(together.layers[keys.DENOISED], alone.layers[keys.DENOISED], rtol=1e-3)
    np.testing.assert_allclose(together.obsm[keys.LATENT], alone.obsm[keys.LATENT], rtol=1e-3, atol=1e-4)


def test_the_refusal_of_a_process_is_raised_in_the_one_that_started_it(h5ad, tmp_path, monkeypatch):
    section = ad.read_h5ad(h5ad)
    section.layers[keys.COUNTS] = section.layers[keys.COUNTS] * 0.5
    write_h5ad(section, h5ad)
    left = []

    def start_one(function, arguments, processes, join):
        try:
            function(0, *arguments)
        except SystemExit as error:
            left.append(error.code)
        return SimpleNamespace(join=gone, processes=[SimpleNamespace(exitcode=code) for code in left])

    def gone():
        raise ProcessExitedException("gone", error_index=0, error_pid=1, exit_code=left[0])

    monkeypatch.setattr(team, "start_processes", start_one)
    source = command._Input(h5ad, "s1", written_by_step=True, merge_duplicates=False, library_key=None)
    job = command._Job(source, Targets.in_folder(tmp_path, "s1"), "s1", DustedParams(), 1, None, None, None)
    with pytest.raises(BadInputError) as refused:
        team.run_processes(command._process, 1, job)
    assert refused.value.problems[0].sample == "s1"
    assert left == [65]
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(("codes", "expected"), [([1, 75], 75), ([-15, 65], 65)])
def test_exit_code_that_means_something_goes_to_the_caller(codes, expected, monkeypatch):
    def join():
        raise ProcessExitedException("gone", error_index=0, error_pid=1, exit_code=codes[0])

    context = SimpleNamespace(join=join, processes=[SimpleNamespace(exitcode=code) for code in codes])
    monkeypatch.setattr(team, "start_processes", lambda *_, **__: context)
    with pytest.raises(SystemExit) as left:
        team.run_processes(lambda *_: None, 2)
    assert left.value.code == expected


def test_torchrun_tells_the_processes_where_to_meet(h5ad, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    given = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("clearspot.dusted.command.launched_by_torchrun", lambda: True)
    section, record = run(h5ad, tmp_path / "out", epochs=2)
    assert record.metrics["epochs"] == 2
    assert keys.DENOISED in section.layers
    assert not torch.distributed.is_initialized()


def test_every_process_gets_a_tile(section_of, monkeypatch):
    monkeypatch.setattr("clearspot.dusted.run.current_team", lambda: Team(1, 3))
    source = SimpleNamespace(section=section_of())
    assert len(Run(source, "s", DustedParams.preset("paper", hidden=8), torch.device("cpu")).tiles) >= 3


def test_one_gpu_a_process():
    assert [device_of_rank("cuda", rank) for rank in range(2)] == ["cuda:0", "cuda:1"]
    assert device_of_rank("cpu", 1) == "cpu"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, False), ({"LOCAL_RANK": "0", "WORLD_SIZE": "1"}, False), ({"LOCAL_RANK": "1", "WORLD_SIZE": "2"}, True)],
)
def test_torchrun_is_recognised_by_its_environment(environment, expected, monkeypatch):
    for name in ("LOCAL_RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert launched_by_torchrun() is expected
