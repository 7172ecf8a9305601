import pytest
import torch

from clearspot.errors import DeviceNotAvailableError, GpuOutOfMemoryError
from clearspot.learning import device
from clearspot.learning.device import gpu_memory_errors, resolve_device, resolve_precision, spots_that_fit

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_a_gpu_is_only_used_where_it_was_asked_for(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device(name) == CPU


@pytest.mark.parametrize(("name", "there"), [("cuda", 0), ("cuda:1", 1), ("mps", 1), ("gpu", 1)])
def test_what_is_not_there_is_an_error(name, there, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    with pytest.raises(DeviceNotAvailableError):
        resolve_device(name)


def test_a_gpu_that_is_there_is_taken(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize(("capable", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_automatic_precision_follows_the_processor(capable, expected, monkeypatch):
    monkeypatch.setattr(device, "_multiplies_bf16", lambda _: capable)
    assert resolve_precision("auto", CPU) == expected
    assert resolve_precision("fp32", CPU) == torch.float32
    assert resolve_precision("bf16", CPU) == torch.bfloat16


def test_out_of_gpu_memory_becomes_the_error_that_is_retried():
    with pytest.raises(GpuOutOfMemoryError, match="max-spots-per-tile"), gpu_memory_errors():
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_tile_follows_the_memory_down_to_a_smallest_size(monkeypatch):
    monkeypatch.setattr(device, "_free_cpu_memory", lambda: 4 * 2**30)
    some = spots_that_fit(3000, 512, CPU)
    assert 10_000 < some < 100_000
    assert spots_that_fit(20_000, 512, CPU) < some
    monkeypatch.setattr(device, "_free_cpu_memory", lambda: 1e12)
    assert spots_that_fit(3000, 512, CPU) * 3000 * 4 < 4 * 2**30
    monkeypatch.setattr(device, "_free_cpu_memory", lambda: 1e3)
    assert spots_that_fit(3000, 512, CPU) == 256


def test_free_memory_is_the_containers_where_that_is_less(tmp_path, monkeypatch):
    monkeypatch.setattr(device, "_CGROUP", tmp_path)
    whole = device._free_cpu_memory()
    (tmp_path / "memory.current").write_text("300\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert device._free_cpu_memory() > 0.5 * whole
    (tmp_path / "memory.max").write_text("1000\n")
    assert device._free_cpu_memory() == 700
