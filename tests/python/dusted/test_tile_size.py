import torch

from clearspot.dusted import tile_size
from clearspot.dusted.tile_size import spots_that_fit

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_tile_follows_the_memory_down_to_a_smallest_size(monkeypatch):
    monkeypatch.setattr(tile_size, "free_memory_bytes", lambda _: 4 * 2**30)
    some = spots_that_fit(3000, 512, CPU)
    assert 10_000 < some < 100_000
    assert spots_that_fit(20_000, 512, CPU) < some
    monkeypatch.setattr(tile_size, "free_memory_bytes", lambda _: 1e12)
    assert spots_that_fit(3000, 512, CPU) * 3000 * 4 < 4 * 2**30
    assert spots_that_fit(3000, 512, GPU) * 3000 * 4 > 4 * 2**30
    monkeypatch.setattr(tile_size, "free_memory_bytes", lambda _: 1e3)
    assert spots_that_fit(3000, 512, CPU) == 256
