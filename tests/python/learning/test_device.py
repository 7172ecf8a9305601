import pytest
import torch

from clearspot.errors import DeviceNotAvailableError
from clearspot.learning import device
from clearspot.learning.device import resolve_device, resolve_precision

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
